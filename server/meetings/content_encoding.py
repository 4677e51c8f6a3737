"""A body that was compressed on its way: unpacked piece by piece, so that no bomb fits into memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from server.errors import BadRequest, UnsupportedContentEncoding

# Bytes unpacked at a time; whoever takes them stops the unpacking by its own limit.
MAX_PIECE = 256 * 1024


class Damaged(BadRequest):
    """The compressed body is not whole."""

    def __init__(self) -> None:
        super().__init__("body", "the compressed body is damaged or ends too early")


class Encoding(Protocol):
    """Takes a body's bytes as they come and gives what they hold."""

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """What the next piece holds. Raises BadRequest where it is damaged."""
        ...

    def close(self) -> None:
        """The body has ended. Raises BadRequest where it is not whole."""
        ...


class Identity:
    """Nothing was done to the body."""

    def decoded(self, data: bytes) -> Iterator[bytes]:
        yield data

    def close(self) -> None:
        pass


class Compressed:
    """``gzip``, of one member or several (RFC 1952), or ``deflate``, with zlib's wrapping (RFC 9110) or without."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._start = b""
        self._inflater: zlib._Decompress | None = None
        self._ended = False

    def decoded(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflater is None:
                data = self._begin(data)
                if self._inflater is None:
                    return
            try:
                yield from self._inflated(self._inflater, data)
            except zlib.error:
                raise Damaged from None
            data = b""
            if self._inflater.eof:
                data, self._inflater, self._ended = self._inflater.unused_data, None, True

    def close(self) -> None:
        if self._start.strip(b"\0") or self._inflater is not None or not self._ended:
            raise Damaged

    def _begin(self, data: bytes) -> bytes:
        """Chooses how to read what comes next; returns what there is of it."""
        self._start += data
        if self._ended:
            # Zeros may pad a gzip file; anything else is another member.
            self._start = self._start.lstrip(b"\0")
        if len(self._start) < 2:
            return b""
        data, self._start = self._start, b""
        if self._gzip:
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif self._ended:
            raise Damaged
        else:
            # Many clients send deflate as it is, though the standard wraps it.
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        return data

    @staticmethod
    def _inflated(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        piece = inflater.decompress(data, MAX_PIECE)
        while piece:
            yield piece
            # A full piece may have more behind it that zlib holds back, even without any input left.
            piece = inflater.decompress(inflater.unconsumed_tail, MAX_PIECE)


def encoding_of(header: str) -> Encoding:
    """The reader for a ``Content-Encoding``: gzip, deflate or identity. Raises UnsupportedContentEncoding."""
    named = header.strip().lower()
    if named in ("", "identity"):
        return Identity()
    if named in ("gzip", "x-gzip"):
        return Compressed(gzip=True)
    if named == "deflate":
        return Compressed(gzip=False)
    raise UnsupportedContentEncoding


def unpacked(header: str, data: bytes, largest: int) -> bytes:
    """A whole small body.

    Raises UnsupportedContentEncoding, and BadRequest where it is damaged or over ``largest`` bytes.
    """
    encoding, whole = encoding_of(header), bytearray()
    for piece in encoding.decoded(data):
        whole += piece
        if len(whole) > largest:
            raise BadRequest("body", f"more than {largest} bytes when it is unpacked")
    encoding.close()
    return bytes(whole)
