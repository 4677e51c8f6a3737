"""The connection to an inference server: plain on this machine, TLS with a client certificate elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc import aio

from privacy import MutualTls
from server.inference_addresses import Target

# The client's certificate, its key, and the authority of the server's certificate.
TLS_SETTINGS = ("MEETRA_INFERENCE_CLIENT_CERTIFICATE", "MEETRA_INFERENCE_CLIENT_KEY", "MEETRA_INFERENCE_CA")


def open_channel(target: Target, tls: MutualTls | None, options: Sequence[tuple[str, Any]]) -> aio.Channel:
    """Return a channel to one server."""
    if tls is None:
        return aio.insecure_channel(target.target, options=options)
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.key, tls.certificate)
    if target.tls_name is not None:
        options = [*options, ("grpc.ssl_target_name_override", target.tls_name)]
    return aio.secure_channel(target.target, credentials, options=options)
