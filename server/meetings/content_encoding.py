"""Decompression of request bodies in bounded chunks: a decompression bomb never fits into memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from server.errors import BadRequest, UnsupportedContentEncoding

# Maximum bytes decompressed at a time; the consumer stops at its own limit.
MAX_PIECE = 256 * 1024


class Damaged(BadRequest):
    """The compressed body is damaged or truncated."""

    def __init__(self) -> None:
        super().__init__("body", "the compressed body is damaged or ends too early")


class Encoding(Protocol):
    """Incremental decoder of a request body."""

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of the next chunk. Raises BadRequest if it is damaged."""
        ...

    def close(self) -> None:
        """Check that the body is complete. Raises BadRequest otherwise."""
        ...


class Identity:
    """Pass an uncompressed body through."""

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """See Encoding.decoded."""
        yield data

    def close(self) -> None:
        """See Encoding.close."""
        pass


class Compressed:
    """Decode ``gzip`` of one or more members (RFC 1952), or ``deflate`` with (RFC 9110) or without its zlib wrapper."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._start = b""
        self._inflater: zlib._Decompress | None = None
        self._ended = False

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """See Encoding.decoded."""
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
        """See Encoding.close."""
        if self._start.strip(b"\0") or self._inflater is not None or not self._ended:
            raise Damaged

    def _begin(self, data: bytes) -> bytes:
        """Choose the decoder for the next member and return its buffered input."""
        self._start += data
        if self._ended:
            # Gzip files may be padded with zeros; anything else starts another member.
            self._start = self._start.lstrip(b"\0")
        if len(self._start) < 2:
            return b""
        data, self._start = self._start, b""
        if self._gzip:
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif self._ended:
            raise Damaged
        else:
            # Many clients send raw deflate, although the standard requires a zlib wrapper.
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        return data

    @staticmethod
    def _inflated(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        piece = inflater.decompress(data, MAX_PIECE)
        while piece:
            yield piece
            # zlib may hold back output behind a full chunk even when the input is used up.
            piece = inflater.decompress(inflater.unconsumed_tail, MAX_PIECE)


def encoding_of(header: str) -> Encoding:
    """Return the decoder for a ``Content-Encoding`` header: gzip, deflate or identity.

    Raises UnsupportedContentEncoding.
    """
    named = header.strip().lower()
    if named in ("", "identity"):
        return Identity()
    if named in ("gzip", "x-gzip"):
        return Compressed(gzip=True)
    if named == "deflate":
        return Compressed(gzip=False)
    raise UnsupportedContentEncoding


def unpacked(header: str, data: bytes, largest: int) -> bytes:
    """Decompress a whole small body.

    Args:
        header: the ``Content-Encoding``.
        largest: maximum decompressed size, bytes.

    Raises UnsupportedContentEncoding; BadRequest if the body is damaged or too large.
    """
    encoding, whole = encoding_of(header), bytearray()
    for piece in encoding.decoded(data):
        whole += piece
        if len(whole) > largest:
            raise BadRequest("body", f"more than {largest} bytes when it is unpacked")
    encoding.close()
    return bytes(whole)
