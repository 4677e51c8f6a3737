"""The connection to the inference server: plain on this machine, TLS with a client certificate elsewhere."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

SETTINGS = ("MEETRA_INFERENCE_CA", "MEETRA_INFERENCE_CLIENT_CERTIFICATE", "MEETRA_INFERENCE_CLIENT_KEY")


class InferenceTlsUnusable(ValueError):
    """The connection cannot be secured as set; the message names the setting and the fix."""


@dataclass(frozen=True, slots=True)
class InferenceTls:
    """Files in PEM: the authority of the server's certificate, and the client's own certificate and key."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def checked(cls, ca: Path | None, certificate: Path | None, key: Path | None) -> InferenceTls | None:
        """Return the files of the three settings, None where none is set. Raises InferenceTlsUnusable."""
        given = (ca, certificate, key)
        if not any(given):
            return None
        if ca is None or certificate is None or key is None:
            missing = [name for name, path in zip(SETTINGS, given, strict=True) if path is None]
            raise InferenceTlsUnusable(f"{' and '.join(missing)}: not set; set all three, or none for plain text")
        return cls(ca, certificate, key)

    def credentials(self) -> grpc.ChannelCredentials:
        """Return the channel's credentials. Raises InferenceTlsUnusable."""
        ca, certificate, key = (
            _read(name, path) for name, path in zip(SETTINGS, (self.ca, self.certificate, self.key), strict=True)
        )
        _check_pair(self.certificate, self.key)
        return grpc.ssl_channel_credentials(ca, key, certificate)


def open_channel(address: str, tls: InferenceTls | None, options: Sequence[tuple[str, Any]]) -> aio.Channel:
    """Return a channel to ``host:port``. Raises InferenceTlsUnusable."""
    if tls is None:
        return aio.insecure_channel(address, options=options)
    return aio.secure_channel(address, tls.credentials(), options=options)


def _check_pair(certificate: Path, key: Path) -> None:
    """Raise InferenceTlsUnusable unless the files are a certificate and its key: gRPC gives no reason."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise InferenceTlsUnusable(
            f"{SETTINGS[1]} and {SETTINGS[2]} are no usable pair ({error}); give PEM files, the key unencrypted"
        ) from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InferenceTlsUnusable(f"{setting}: {path} cannot be read ({error.strerror})") from None
