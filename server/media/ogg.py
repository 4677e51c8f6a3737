"""The checksum of Ogg pages."""

from __future__ import annotations

import zlib

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(page: bytes) -> int:
    """Return the CRC of an Ogg page (RFC 3533, section 6), with its own field taken as 0.

    zlib's CRC uses the same polynomial with bit-reversed bytes, an initial value of all ones and an inverted result.
    """
    turned = (page[:22] + bytes(4) + page[26:]).translate(_REVERSED_BITS)
    value = zlib.crc32(turned, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(value.to_bytes(4, "little").translate(_REVERSED_BITS), "big")
