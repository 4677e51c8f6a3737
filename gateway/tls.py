"""The gateway's certificate and key."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

CERTIFICATE, KEY = "MEETRA_TLS_CERTIFICATE", "MEETRA_TLS_KEY"


class TlsUnusable(Exception):
    """The gateway cannot serve TLS as set; the message names the setting and the fix."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM: the certificate followed by its intermediates, and its key without a passphrase."""

    certificate: Path
    key: Path

    @classmethod
    def checked(cls, certificate: str, key: str) -> TlsFiles | None:
        """Return the files of both settings, None if neither is set. Raises TlsUnusable."""
        if not certificate and not key:
            return None
        if not certificate or not key:
            there, missing = (CERTIFICATE, KEY) if certificate else (KEY, CERTIFICATE)
            raise TlsUnusable(f"{there} is set without {missing}; set both, or neither for plain text")
        files = cls(Path(certificate).absolute(), Path(key).absolute())
        _read(CERTIFICATE, files.certificate)
        _read(KEY, files.key)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key, _no_passphrase)
        except ssl.SSLError as error:
            raise TlsUnusable(
                f"{CERTIFICATE} and {KEY} are no usable pair ({error.reason or error}); give a certificate chain in"
                " PEM, and the unencrypted private key of its first certificate"
            ) from None
        return files


def _read(setting: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise TlsUnusable(f"{setting}: {path} cannot be read ({error.strerror})") from None


def _no_passphrase() -> str:
    raise TlsUnusable(f"{KEY}: the key has a passphrase; give one without, in a file that only this user may read")
