"""Checks of request fields that several services share."""

from __future__ import annotations

import re

from server.errors import BadRequest

_HASH = re.compile(r"[0-9a-f]{64}")


def checked_file_hash(value: str) -> str:
    """The hash in lower case. Raises BadRequest naming ``file-hash`` unless it is 64 hexadecimal digits."""
    if not value:
        raise BadRequest("file-hash", "missing; give the SHA-256 that the upload answered")
    if not _HASH.fullmatch(value.lower()):
        raise BadRequest("file-hash", "not a SHA-256; 64 hexadecimal digits are needed")
    return value.lower()
