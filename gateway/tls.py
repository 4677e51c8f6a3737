"""The gateway's certificate and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from privacy import TlsUnusable, check_pair, read_pem

CERTIFICATE, KEY = "MEETRA_TLS_CERTIFICATE", "MEETRA_TLS_KEY"


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
        read_pem(CERTIFICATE, files.certificate)
        read_pem(KEY, files.key)
        check_pair((CERTIFICATE, KEY), files.certificate, files.key)
        return files
