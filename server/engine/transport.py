"""The connection to the inference server: plain on this machine, TLS with a client certificate elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc import aio

from privacy import MutualTls

# The client's certificate, its key, and the authority of the server's certificate.
TLS_SETTINGS = ("MEETRA_INFERENCE_CLIENT_CERTIFICATE", "MEETRA_INFERENCE_CLIENT_KEY", "MEETRA_INFERENCE_CA")


def open_channel(address: str, tls: MutualTls | None, options: Sequence[tuple[str, Any]]) -> aio.Channel:
    """Return a channel to ``host:port``."""
    if tls is None:
        return aio.insecure_channel(address, options=options)
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.key, tls.certificate)
    return aio.secure_channel(address, credentials, options=options)
