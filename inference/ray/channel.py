"""The connection with which inference servers are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from grpc import aio

from privacy import MutualTls

# Certificate, key and authority with which they are asked.
TLS_SETTINGS = ("MEETRA_RAY_CLIENT_CERTIFICATE", "MEETRA_RAY_CLIENT_KEY", "MEETRA_RAY_CA")
CHANNEL_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 1_000)]


@dataclass(frozen=True, slots=True)
class ReplicaTls:
    """What is shown to inference servers, and asked of them."""

    files: MutualTls
    name: str
    """The name in the certificate of each."""


def open_channel(address: str, tls: ReplicaTls | None) -> aio.Channel:
    """Return a channel to one server; ``tls``: None for plain text."""
    if tls is None:
        return aio.insecure_channel(address, options=CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.files.authority, tls.files.key, tls.files.certificate)
    return aio.secure_channel(
        address, credentials, options=[*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", tls.name)]
    )
