"""Texts of a multipart body that are not ASCII, in each of the ways in which clients write them."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

from multipart import MultipartSegment

# Part headers are read as Latin-1, which takes every byte; what they are in truth is told here.
HEADER_CHARSET = "latin-1"
# Those that clients name. Python knows many more, and not all of them make text out of bytes.
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii"} | dict.fromkeys(
    ("iso-8859-1", "latin1", "windows-1252", "cp1252"), "cp1252"
)
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)


def header_text(latin: str) -> str:
    """A value of a part's header: UTF-8 where it is, else the Windows and Latin-1 characters that old clients send."""
    data = latin.encode(HEADER_CHARSET)
    try:
        return data.decode()
    except UnicodeDecodeError:
        # The five bytes that Windows-1252 leaves free are control characters in Latin-1.
        return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)


def text_in(charset: str, data: bytes | bytearray) -> str:
    """The text in a charset that a client names. Raises ValueError where it is none, or one that nobody sends."""
    encoding = _CHARSETS.get(charset.strip().lower())
    if encoding is None:
        raise ValueError(f"the charset {charset} is not read")
    return data.decode(encoding)


def file_name(segment: MultipartSegment) -> str | None:
    """The file's name: ``filename*`` (RFC 5987) before ``filename``, as RFC 6266 has it; None without either."""
    extended = _EXTENDED_NAME.search(segment.header("Content-Disposition", ""))
    name = _extended(extended[1]) if extended else None
    if name is not None:
        return name
    return None if segment.filename is None else _encoded_words(header_text(segment.filename))


def _extended(value: str) -> str | None:
    """``UTF-8''R%C3%A9union.wav``; None where it is not of that form, or of a charset that nobody sends."""
    charset, _, rest = value.partition("'")
    if "'" not in rest:
        return None
    try:
        return text_in(charset, unquote_to_bytes(rest.partition("'")[2]))
    except ValueError:
        return None


def _encoded_words(text: str) -> str:
    """``=?UTF-8?B?UsOpdW5pb24=?=`` (RFC 2047), which clients made from mail libraries send; else the text itself."""
    if not (text.startswith("=?") and text.endswith("?=")):
        return text
    try:
        return str(make_header(decode_header(text))) or text
    except (HeaderParseError, LookupError, ValueError):
        return text
