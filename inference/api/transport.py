"""Who may reach the inference server: this machine, or clients with a certificate."""

from __future__ import annotations

import ipaddress
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc import aio

log = logging.getLogger(__name__)
SETTINGS = ("MEETRA_INFERENCE_TLS_CERTIFICATE", "MEETRA_INFERENCE_TLS_KEY", "MEETRA_INFERENCE_TLS_CLIENT_CA")


class TransportUnusable(Exception):
    """The server cannot listen as set; the message names the setting and the fix."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM for TLS with client certificates."""

    certificate: Path
    """The server's certificate, followed by its intermediates."""
    key: Path
    """Its key, without a passphrase."""
    client_ca: Path
    """Certificates of the authorities whose clients are let in."""

    @classmethod
    def checked(cls, certificate: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
        """Return the files of the three settings, None where none is set. Raises TransportUnusable."""
        given = (certificate, key, client_ca)
        if not any(given):
            return None
        if certificate is None or key is None or client_ca is None:
            missing = [name for name, path in zip(SETTINGS, given, strict=True) if path is None]
            raise TransportUnusable(f"{' and '.join(missing)}: not set; set all three, or none for plain text")
        return cls(certificate, key, client_ca)

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials that require a client's certificate. Raises TransportUnusable."""
        certificate, key, client_ca = (
            _read(name, path) for name, path in zip(SETTINGS, (self.certificate, self.key, self.client_ca), strict=True)
        )
        _check_pair(self.certificate, self.key)
        return grpc.ssl_server_credentials([(key, certificate)], client_ca, require_client_auth=True)


def listen(server: aio.Server, address: str, tls: TlsFiles | None) -> None:
    """Let a server listen on ``host:port``. Raises TransportUnusable, and RuntimeError where the address is taken."""
    if tls is None:
        if not _is_of_this_machine(address):
            log.warning(
                "PLAIN TEXT on %s: whoever reaches this address may use the models and read audio on its way; set %s",
                address,
                ", ".join(SETTINGS),
            )
        server.add_insecure_port(address)
        return
    server.add_secure_port(address, tls.credentials())


def _check_pair(certificate: Path, key: Path) -> None:
    """Raise TransportUnusable unless the files are a certificate and its key: gRPC gives no reason."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise TransportUnusable(
            f"{SETTINGS[0]} and {SETTINGS[1]} are no usable pair ({error}); give PEM files, the key unencrypted"
        ) from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TransportUnusable(f"{setting}: {path} cannot be read ({error.strerror})") from None


def _is_of_this_machine(address: str) -> bool:
    """Return whether only this machine reaches ``host:port`` or a Unix socket."""
    if address.startswith(("unix:", "localhost:")):
        return True
    try:
        return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False
