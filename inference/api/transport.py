"""Who may reach the inference server: this machine, or clients with a certificate."""

from __future__ import annotations

import ipaddress
import logging

import grpc
from grpc import aio

from privacy import MutualTls

log = logging.getLogger(__name__)
# Certificate, key, and the authority of clients.
TLS_SETTINGS = ("MEETRA_INFERENCE_TLS_CERTIFICATE", "MEETRA_INFERENCE_TLS_KEY", "MEETRA_INFERENCE_TLS_CLIENT_CA")


def listen(server: aio.Server, address: str, tls: MutualTls | None) -> None:
    """Let a server listen on ``host:port``; with TLS for clients with a certificate alone.

    Raises RuntimeError where the address is taken.
    """
    if tls is None:
        if not _is_of_this_machine(address):
            log.warning(
                "PLAIN TEXT on %s: whoever reaches this address may use the models and read audio on its way; set %s",
                address,
                ", ".join(TLS_SETTINGS),
            )
        server.add_insecure_port(address)
        return
    pair = [(tls.key, tls.certificate)]
    server.add_secure_port(address, grpc.ssl_server_credentials(pair, tls.authority, require_client_auth=True))


def _is_of_this_machine(address: str) -> bool:
    """Return whether only this machine reaches ``host:port`` or a Unix socket."""
    if address.startswith(("unix:", "localhost:")):
        return True
    try:
        return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False
