"""Certificates and keys in PEM files, checked before anything starts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


class TlsUnusable(Exception):
    """TLS cannot be used as set; the message names the setting and the fix."""


def read_pem(setting: str, path: Path) -> bytes:
    """Return the content of the file that a setting names. Raises TlsUnusable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsUnusable(f"{setting}: {path} cannot be read ({error.strerror})") from None


def check_pair(settings: tuple[str, str], certificate: Path, key: Path) -> None:
    """Check that two readable files are a certificate and its key.

    Args:
        settings: names of the settings of the certificate and of the key, for errors.

    Raises TlsUnusable: gRPC and Envoy would say no more than that they failed.
    """

    def no_passphrase() -> str:
        raise TlsUnusable(
            f"{settings[1]}: the key has a passphrase; give one without, in a file that only this user may read"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, no_passphrase)
    except ssl.SSLError as error:
        raise TlsUnusable(
            f"{settings[0]} and {settings[1]} are no usable pair ({error.reason or error}); give a certificate chain in"
            " PEM, and the unencrypted private key of its first certificate"
        ) from None


@dataclass(frozen=True, slots=True)
class MutualTls:
    """What one side of a connection shows and asks of the other, in PEM."""

    certificate: bytes
    """Its certificate, followed by its intermediates."""
    key: bytes
    authority: bytes
    """Certificates of the authorities that sign the other side's."""

    @classmethod
    def read(
        cls, settings: tuple[str, str, str], certificate: Path | None, key: Path | None, authority: Path | None
    ) -> MutualTls | None:
        """Return the content of the files, None if no file is set. Raises TlsUnusable.

        Args:
            settings: names of the settings of the three files, for errors.
        """
        given = (certificate, key, authority)
        if not any(given):
            return None
        if certificate is None or key is None or authority is None:
            missing = [name for name, path in zip(settings, given, strict=True) if path is None]
            raise TlsUnusable(f"{' and '.join(missing)}: not set; set all three, or none for plain text")
        found = cls(*(read_pem(n, path) for n, path in zip(settings, (certificate, key, authority), strict=True)))
        check_pair(settings[:2], certificate, key)
        return found
