"""Bodies that were compressed on their way: unpacked in pieces, whole or not at all."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from server.errors import BadRequest, UnsupportedContentEncoding
from server.meetings.content_encoding import MAX_CHUNK_BYTES, create_body_decoder, decompress_body

CONTENT = random.Random(1).randbytes(300_000) + bytes(300_000)


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(CONTENT)),
    "gzip of several members, padded": ("x-gzip", gzip.compress(CONTENT[:9]) + gzip.compress(CONTENT[9:]) + bytes(9)),
    "deflate as the standard has it": ("Deflate", zlib.compress(CONTENT)),
    "deflate as many send it": ("deflate", bare_deflate(CONTENT)),
    "identity": ("identity", CONTENT),
    "nothing": ("", CONTENT),
}


def through(header: str, data: bytes, step: int) -> bytes:
    encoding, out = create_body_decoder(header), bytearray()
    for start in range(0, len(data), step):
        for piece in encoding.decode(data[start : start + step]):
            out += piece
    encoding.close()
    return bytes(out)


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("step", [1, 7, 65_536, 10**9])
def test_what_was_packed_is_unpacked_however_it_is_cut(kind: str, step: int) -> None:
    header, data = PACKED[kind]
    if step == 1:
        data, content = (gzip.compress(b"short"), b"short") if "gzip" in header else (data, CONTENT)
    else:
        content = CONTENT
    assert through(header, data, step) == content


@pytest.mark.parametrize("kind", [kind for kind in PACKED if "ident" not in kind and kind != "nothing"])
def test_what_is_cut_short_or_damaged_is_refused(kind: str) -> None:
    header, data = PACKED[kind]
    data = data.rstrip(b"\0") if "padded" in kind else data
    wrongs = [data[:-9], data[:1], data + b"more", b""]
    if kind != "deflate as many send it":
        # The others carry a checksum.
        wrongs.append(data[:1000] + b"????" + data[1004:])
    for wrong in wrongs:
        with pytest.raises(BadRequest, match="damaged or truncated"):
            through(header, wrong, 4096)


@pytest.mark.parametrize("header", ["br", "zstd", "gzip, gzip", "gzip;q=1", "\0"])
def test_what_nobody_here_reads_is_refused_by_name(header: str) -> None:
    with pytest.raises(UnsupportedContentEncoding, match="gzip or deflate"):
        create_body_decoder(header)


def test_a_bomb_comes_in_pieces_and_ends_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert all(
        len(piece) <= MAX_CHUNK_BYTES
        for piece, _ in zip(create_body_decoder("gzip").decode(bomb), range(9), strict=False)
    )
    with pytest.raises(BadRequest, match="more than 65536 bytes"):
        decompress_body("gzip", bomb, 65_536)
    assert decompress_body("gzip", gzip.compress(b"small"), 65_536) == b"small"
