"""Extraction of Opus packets from a track's log: length-prefixed records, or Ogg pages (RFC 3533, RFC 7845).

Pure Python on bounded buffers: untrusted bytes reach native code only as single packets, in a process of its own. The
result does not depend on how the bytes are split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from server.audio.encodings import RECORD_HEADER_BYTES, InvalidChunk, packet_samples, stated_samples
from server.media import checksum

MAX_CHANNELS = 8
# Eight streams of maximal RFC 6716 packets are smaller; only comments and pictures are larger.
MAX_OGG_PACKET_BYTES = 512 * 1024
PAGE_HEADER_BYTES = 27
# Budget of bytes with failed checksums per byte of stream, beside an initial allowance: nested page headers would
# otherwise cost quadratic time.
CHECKS_PER_BYTE = 4
CHECKS_ALLOWANCE_BYTES = 1024 * 1024
# Limit of remembered other streams in the container; real files have only a few.
MAX_FOREIGN_STREAMS = 64


@dataclass(frozen=True, slots=True, eq=False)
class StreamHead:
    """Start of a stream: create a decoder with this ``OpusHead`` (its pre-skip is 0: ``Packet.first`` handles it)."""

    data: bytes
    channels: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One Opus packet of ``samples`` at 48 kHz, of which ``first:last`` are audible."""

    data: bytes
    samples: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Gap:
    """``samples`` at 48 kHz of silence, which the stream states by its times."""

    samples: int


class PacketReader(Protocol):
    """Parser from log bytes to stream heads and packets."""

    damaged: bool
    """Whether anything was left out."""

    def feed(self, raw: bytes | memoryview) -> Sequence[StreamHead | Packet | Gap]:
        """Return the items completed by the next bytes of the log."""

    def finish(self) -> None:
        """Mark the end of the log: an incomplete item counts as damage."""


def opus_head(channels: int) -> bytes:
    """Return a plain ``OpusHead`` for one or two channels (RFC 7845, section 5.1)."""
    return b"OpusHead\x01" + bytes([channels]) + bytes(2) + (48_000).to_bytes(4, "little") + bytes(3)


def parse_opus_head(body: bytes) -> tuple[StreamHead, int, int] | None:
    """Return the stream of an ``OpusHead``, its pre-skip, samples, and its number of streams; None if undecodable."""
    mapped = len(body) > 18 and body[18] != 0
    channels = body[9] if len(body) > 9 else 0
    usable = body.startswith(b"OpusHead") and len(body) >= (21 + channels if mapped else 19) and body[8] < 16
    if not usable or not 1 <= channels <= (MAX_CHANNELS if mapped else 2):
        return None
    pre_skip = int.from_bytes(body[10:12], "little")
    return StreamHead(body[:10] + bytes(2) + body[12:], channels), pre_skip, body[19] if mapped else 1


class RecordReader:
    """Parser for raw packets, each preceded by its length in two bytes."""

    def __init__(self) -> None:
        self.damaged = False
        self._buffer = bytearray()
        # Raw packets have no head. A stereo decoder handles both kinds: it duplicates mono.
        self._pending: list[StreamHead | Packet] = [StreamHead(opus_head(2), 2)]

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet]:
        """See PacketReader.feed."""
        items, self._pending = self._pending, []
        self._buffer += raw
        offset = 0
        while True:
            begin = offset + RECORD_HEADER_BYTES
            end = begin + int.from_bytes(self._buffer[offset:begin], "little")
            if max(begin, end) > len(self._buffer):
                break
            data, offset = bytes(self._buffer[begin:end]), end
            try:
                samples = packet_samples(data)
                items.append(Packet(data, samples, 0, samples))
            except InvalidChunk:
                self.damaged = True
        del self._buffer[:offset]
        return items

    def finish(self) -> None:
        """See PacketReader.finish."""
        self.damaged |= bool(self._buffer)


class OggReader:
    """Parser for Ogg pages of one Opus stream, or several in sequence; other streams are skipped."""

    def __init__(self) -> None:
        self.damaged = False
        self._buffer = bytearray()
        self._offset = 0  # of the buffer within the log
        self._failed_bytes = 0
        self._foreign: set[int] = set()
        self._serial: int | None = None
        self._begin(0, 0, 1)

    def _begin(self, next_sequence: int, pre_skip: int, streams: int) -> None:
        """Reset the state for a new stream."""
        self._next_sequence, self._skip, self._streams = next_sequence, pre_skip, streams
        self._comments_due = True
        self._granule = 0  # of the previous page
        self._partial: bytearray | None = None

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet]:
        """See PacketReader.feed."""
        self._buffer += raw
        items: list[StreamHead | Packet] = []
        offset = 0
        while (begin := self._buffer.find(b"OggS", offset)) >= 0:
            self.damaged |= begin > offset
            offset = begin
            size = self._page_size(offset)
            if size is None:
                break
            page = bytes(self._buffer[offset : offset + size])
            if page[4] == 0 and checksum(page) == int.from_bytes(page[22:26], "little"):
                items += self._read_page(page)
                offset += size
            else:
                self.damaged = True
                offset += self._bytes_to_skip(offset, size)
        else:
            # The last bytes may be the start of a page.
            tail = max(offset, len(self._buffer) - 3)
            self.damaged |= tail > offset
            offset = tail
        del self._buffer[:offset]
        self._offset += offset
        return items

    def finish(self) -> None:
        """See PacketReader.finish."""
        self.damaged |= bool(self._buffer) or self._partial is not None

    def _page_size(self, offset: int) -> int | None:
        """Return the size of the page at this index, bytes; None while it is incomplete."""
        buffer = self._buffer
        if offset + PAGE_HEADER_BYTES > len(buffer):
            return None
        body = offset + PAGE_HEADER_BYTES + buffer[offset + 26]
        end = body + sum(buffer[offset + PAGE_HEADER_BYTES : body])
        return end - offset if max(body, end) <= len(buffer) else None

    def _bytes_to_skip(self, offset: int, size: int) -> int:
        """Return how many bytes of a broken page to skip: to a page start within it while that is cheap, else all."""
        self._failed_bytes += size
        allowed = CHECKS_PER_BYTE * (self._offset + offset) + CHECKS_ALLOWANCE_BYTES
        return 4 if self._failed_bytes <= allowed else size

    def _read_page(self, page: bytes) -> list[StreamHead | Packet]:
        continued, starts_stream, ends_stream = (bool(page[5] & bit) for bit in (1, 2, 4))
        granule = int.from_bytes(page[6:14], "little", signed=True)
        serial, sequence = (int.from_bytes(page[offset : offset + 4], "little") for offset in (14, 18))
        lacing, body = page[PAGE_HEADER_BYTES:][: page[26]], page[PAGE_HEADER_BYTES + page[26] :]
        if starts_stream:
            return self._begin_stream(serial, sequence, body)
        if serial != self._serial:
            self.damaged |= serial not in self._foreign
            return []
        if sequence != self._next_sequence:
            self.damaged, self._partial = True, None
        self._next_sequence = (sequence + 1) & 0xFFFFFFFF
        packets = self._read_packets(body, lacing, continued)
        # Only the last page's granule position is below its packets' end: the rest is padding (section 4.4).
        remaining = granule - self._granule if ends_stream and granule >= 0 else sum(samples for _, samples in packets)
        self._granule = max(self._granule, granule)
        return [self._trim(data, samples, remaining := remaining - samples) for data, samples in packets]

    def _trim(self, data: bytes, samples: int, remaining: int) -> Packet:
        """Trim the pre-skip, and samples after the stream's end, for which ``remaining`` is negative."""
        last = max(0, samples + min(0, remaining))
        first = min(self._skip, samples)
        self._skip -= first
        return Packet(data, samples, min(first, last), last)

    def _begin_stream(self, serial: int, sequence: int, body: bytes) -> list[StreamHead | Packet]:
        """Start a new stream if it is decodable Opus."""
        if not body.startswith(b"OpusHead"):
            if len(self._foreign) < MAX_FOREIGN_STREAMS:
                self._foreign.add(serial)
            return []
        self.damaged |= self._partial is not None
        parsed = parse_opus_head(body)
        if parsed is None:
            self.damaged, self._serial = True, None
            return []
        head, pre_skip, streams = parsed
        self._serial = serial
        self._foreign.discard(serial)
        self._begin(sequence + 1, pre_skip, streams)
        return [head]

    def _read_packets(self, body: bytes, lacing: bytes, continued: bool) -> list[tuple[bytes, int]]:
        """Return the packets that end on this page, with their lengths in samples."""
        if continued != (self._partial is not None):
            self.damaged = True
        # None marks a continued packet whose start is lost: it is skipped.
        packet: bytearray | None = self._partial if continued else bytearray()
        complete, offset = [], 0
        for size in lacing:
            if packet is not None and len(packet) <= MAX_OGG_PACKET_BYTES:
                packet += body[offset : offset + size]
            offset += size
            if size < 255:
                complete += self._finish_packet(packet)
                packet = bytearray()
        continues = lacing[-1] == 255 if lacing else continued
        self._partial = packet if continues else None
        return complete

    def _finish_packet(self, packet: bytearray | None) -> list[tuple[bytes, int]]:
        if packet is None:
            return []
        if self._comments_due:
            self._comments_due = False
            if packet.startswith(b"OpusTags"):
                return []
        data = bytes(packet)
        try:
            if len(data) > MAX_OGG_PACKET_BYTES:
                raise InvalidChunk("too large")
            # Of multiple streams only the last uses the plain packet form (section 3).
            return [(data, packet_samples(data) if self._streams == 1 else stated_samples(data))]
        except InvalidChunk:
            self.damaged = True
            return []
