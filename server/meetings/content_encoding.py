"""Decompression of request bodies in bounded chunks: a decompression bomb never fits into memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from server.errors import BadRequest, UnsupportedContentEncoding

# Maximum bytes decompressed at a time; the consumer stops at its own limit.
MAX_CHUNK_BYTES = 256 * 1024


class DamagedBody(BadRequest):
    """The compressed body is damaged or truncated."""

    def __init__(self) -> None:
        super().__init__("body", "the compressed body is damaged or truncated")


class BodyDecoder(Protocol):
    """Incremental decoder of a request body."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of the next chunk. Raises BadRequest if it is damaged."""
        ...

    def close(self) -> None:
        """Check that the body is complete. Raises BadRequest otherwise."""
        ...


class IdentityDecoder:
    """Pass an uncompressed body through."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """See Encoding.decoded."""
        yield data

    def close(self) -> None:
        """See Encoding.close."""
        pass


class CompressedDecoder:
    """Decode ``gzip`` of one or more members (RFC 1952), or ``deflate`` with (RFC 9110) or without its zlib wrapper."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._start = b""
        self._inflater: zlib._Decompress | None = None
        self._ended = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """See Encoding.decoded."""
        while data:
            if self._inflater is None:
                data = self._begin(data)
                if self._inflater is None:
                    return
            try:
                yield from self._inflate(self._inflater, data)
            except zlib.error:
                raise DamagedBody from None
            data = b""
            if self._inflater.eof:
                data, self._inflater, self._ended = self._inflater.unused_data, None, True

    def close(self) -> None:
        """See Encoding.close."""
        if self._start.strip(b"\0") or self._inflater is not None or not self._ended:
            raise DamagedBody

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
            raise DamagedBody
        else:
            # Many clients send raw deflate, although the standard requires a zlib wrapper.
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        return data

    @staticmethod
    def _inflate(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        chunk = inflater.decompress(data, MAX_CHUNK_BYTES)
        while chunk:
            yield chunk
            # zlib may hold back output behind a full chunk even when the input is used up.
            chunk = inflater.decompress(inflater.unconsumed_tail, MAX_CHUNK_BYTES)


def create_body_decoder(header: str) -> BodyDecoder:
    """Return the decoder for a ``Content-Encoding`` header: gzip, deflate or identity.

    Raises UnsupportedContentEncoding.
    """
    name = header.strip().lower()
    if name in ("", "identity"):
        return IdentityDecoder()
    if name in ("gzip", "x-gzip"):
        return CompressedDecoder(gzip=True)
    if name == "deflate":
        return CompressedDecoder(gzip=False)
    raise UnsupportedContentEncoding


def decompress_body(header: str, data: bytes, max_bytes: int) -> bytes:
    """Decompress a whole small body.

    Args:
        header: the ``Content-Encoding``.
        max_bytes: maximum decompressed size, bytes.

    Raises UnsupportedContentEncoding; BadRequest if the body is damaged or too large.
    """
    decoder, body = create_body_decoder(header), bytearray()
    for chunk in decoder.decode(data):
        body += chunk
        if len(body) > max_bytes:
            raise BadRequest("body", f"more than {max_bytes} bytes after decompression")
    decoder.close()
    return bytes(body)
