"""Decoding of non-ASCII text in multipart bodies, in all the ways clients encode it."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

from multipart import MultipartSegment

# Part headers are parsed as Latin-1, which accepts every byte; this module finds the actual charset.
HEADER_CHARSET = "latin-1"
# Charsets that clients name. Python knows many more, and some of them do not decode to text.
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii"} | dict.fromkeys(
    ("iso-8859-1", "latin1", "windows-1252", "cp1252"), "cp1252"
)
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)


def decode_header_text(latin: str) -> str:
    """Decode a part header's value: UTF-8 if valid, otherwise Windows-1252, as old clients send."""
    data = latin.encode(HEADER_CHARSET)
    try:
        return data.decode()
    except UnicodeDecodeError:
        # The five bytes undefined in Windows-1252 are control characters in Latin-1.
        return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)


def decode_text(charset: str, data: bytes | bytearray) -> str:
    """Decode text in a charset named by a client. Raises ValueError for invalid text or an unsupported charset."""
    encoding = _CHARSETS.get(charset.strip().lower())
    if encoding is None:
        raise ValueError(f"unsupported charset {charset}")
    return data.decode(encoding)


def file_name(segment: MultipartSegment) -> str | None:
    """Return a part's file name: ``filename*`` (RFC 5987) before ``filename``, as in RFC 6266; None without either."""
    extended = _EXTENDED_NAME.search(segment.header("Content-Disposition", ""))
    name = _decode_extended(extended[1]) if extended else None
    if name is not None:
        return name
    return None if segment.filename is None else _decode_encoded_words(decode_header_text(segment.filename))


def _decode_extended(value: str) -> str | None:
    """Decode ``UTF-8''R%C3%A9union.wav``; None if the value is malformed or its charset is unsupported."""
    charset, _, rest = value.partition("'")
    if "'" not in rest:
        return None
    try:
        return decode_text(charset, unquote_to_bytes(rest.partition("'")[2]))
    except ValueError:
        return None


def _decode_encoded_words(text: str) -> str:
    """Decode ``=?UTF-8?B?UsOpdW5pb24=?=`` (RFC 2047), sent by clients built on mail libraries; else return the text."""
    if not (text.startswith("=?") and text.endswith("?=")):
        return text
    try:
        return str(make_header(decode_header(text))) or text
    except (HeaderParseError, LookupError, ValueError):
        return text
