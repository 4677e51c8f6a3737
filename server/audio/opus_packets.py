"""Opus packets out of the log of a track: from length-prefixed records, or from Ogg pages (RFC 3533, RFC 7845).

Plain Python on bounded buffers: what comes from outside reaches native code only as single
packets, in a process of its own. Nothing depends on how the bytes are cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from server.audio.encodings import RECORD_HEADER_BYTES, InvalidChunk, packet_samples, stated_samples
from server.media import checksum

MAX_CHANNELS = 8
# Eight streams of the longest packets of RFC 6716 are smaller; only comments and pictures are larger.
MAX_OGG_PACKET_BYTES = 512 * 1024
PAGE_HEADER_BYTES = 27
# So many bytes of failed checksums for a byte of stream, beside a first allowance: page headers
# within page headers would otherwise cost the square of their number.
CHECKS_PER_BYTE = 4
CHECKS_ALLOWANCE_BYTES = 1024 * 1024
# Other streams of the container that are remembered; no client has more than a few.
MAX_FOREIGN_STREAMS = 64


@dataclass(frozen=True, slots=True, eq=False)
class StreamHead:
    """A decoder must begin anew, with this ``OpusHead`` (its pre-skip is 0: ``Packet.first`` does that)."""

    data: bytes
    channels: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One Opus packet of ``samples`` at 48 kHz, of which ``first:last`` are to be heard."""

    data: bytes
    samples: int
    first: int
    last: int


class PacketReader(Protocol):
    """Bytes of a log to heads and packets."""

    damaged: bool
    """True when something was left out."""

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet]:
        """What is complete with the next bytes of the log."""

    def finish(self) -> None:
        """No more bytes come: what is incomplete is damaged."""


def opus_head(channels: int) -> bytes:
    """A plain ``OpusHead`` of one or two channels (RFC 7845, section 5.1)."""
    return b"OpusHead\x01" + bytes([channels]) + bytes(2) + (48_000).to_bytes(4, "little") + bytes(3)


class RecordReader:
    """The log of raw packets: two bytes of length, then the packet."""

    def __init__(self) -> None:
        self.damaged = False
        self._buffer = bytearray()
        # Raw packets come without a head. Two channels hold both kinds: mono comes out on both.
        self._pending: list[StreamHead | Packet] = [StreamHead(opus_head(2), 2)]

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet]:
        items, self._pending = self._pending, []
        self._buffer += raw
        at = 0
        while True:
            begin = at + RECORD_HEADER_BYTES
            end = begin + int.from_bytes(self._buffer[at:begin], "little")
            if max(begin, end) > len(self._buffer):
                break
            data, at = bytes(self._buffer[begin:end]), end
            try:
                samples = packet_samples(data)
                items.append(Packet(data, samples, 0, samples))
            except InvalidChunk:
                self.damaged = True
        del self._buffer[:at]
        return items

    def finish(self) -> None:
        self.damaged |= bool(self._buffer)


class OggReader:
    """Ogg pages of one Opus stream, or of several one after another; other streams are passed over."""

    def __init__(self) -> None:
        self.damaged = False
        self._buffer = bytearray()
        self._offset = 0  # of the buffer within the log
        self._failed_bytes = 0
        self._foreign: set[int] = set()
        self._serial: int | None = None
        self._begin(0, 0, 1)

    def _begin(self, next_sequence: int, pre_skip: int, streams: int) -> None:
        """A new stream: nothing is left of the one before."""
        self._next_sequence, self._skip, self._streams = next_sequence, pre_skip, streams
        self._comments_due = True
        self._granule = 0  # of the page before
        self._partial: bytearray | None = None

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet]:
        self._buffer += raw
        items: list[StreamHead | Packet] = []
        at = 0
        while (begin := self._buffer.find(b"OggS", at)) >= 0:
            self.damaged |= begin > at
            at = begin
            size = self._page_size(at)
            if size is None:
                break
            page = bytes(self._buffer[at : at + size])
            if page[4] == 0 and checksum(page) == int.from_bytes(page[22:26], "little"):
                items += self._page(page)
                at += size
            else:
                self.damaged = True
                at += self._passed_over(at, size)
        else:
            # The last bytes may begin a page.
            rest = max(at, len(self._buffer) - 3)
            self.damaged |= rest > at
            at = rest
        del self._buffer[:at]
        self._offset += at
        return items

    def finish(self) -> None:
        self.damaged |= bool(self._buffer) or self._partial is not None

    def _page_size(self, at: int) -> int | None:
        """Bytes of the page that begins there; None while it is not whole."""
        buffer = self._buffer
        if at + PAGE_HEADER_BYTES > len(buffer):
            return None
        body = at + PAGE_HEADER_BYTES + buffer[at + 26]
        end = body + sum(buffer[at + PAGE_HEADER_BYTES : body])
        return end - at if max(body, end) <= len(buffer) else None

    def _passed_over(self, at: int, size: int) -> int:
        """Bytes to pass over where a page is broken: to the next that may begin within it, while that is cheap."""
        self._failed_bytes += size
        allowed = CHECKS_PER_BYTE * (self._offset + at) + CHECKS_ALLOWANCE_BYTES
        return 4 if self._failed_bytes <= allowed else size

    def _page(self, page: bytes) -> list[StreamHead | Packet]:
        continued, begins, ends = (bool(page[5] & bit) for bit in (1, 2, 4))
        granule = int.from_bytes(page[6:14], "little", signed=True)
        serial, sequence = (int.from_bytes(page[at : at + 4], "little") for at in (14, 18))
        lacing, body = page[PAGE_HEADER_BYTES:][: page[26]], page[PAGE_HEADER_BYTES + page[26] :]
        if begins:
            return self._head(serial, sequence, body)
        if serial != self._serial:
            self.damaged |= serial not in self._foreign
            return []
        if sequence != self._next_sequence:
            self.damaged, self._partial = True, None
        self._next_sequence = (sequence + 1) & 0xFFFFFFFF
        packets = self._packets(body, lacing, continued)
        # Only the last page says less than its packets hold: the rest is the encoder's filling (section 4.4).
        left = granule - self._granule if ends and granule >= 0 else sum(samples for _, samples in packets)
        self._granule = max(self._granule, granule)
        return [self._trimmed(data, samples, left := left - samples) for data, samples in packets]

    def _trimmed(self, data: bytes, samples: int, left: int) -> Packet:
        """A packet without the pre-skip and without what is after the end; ``left`` is negative then."""
        last = max(0, samples + min(0, left))
        first = min(self._skip, samples)
        self._skip -= first
        return Packet(data, samples, min(first, last), last)

    def _head(self, serial: int, sequence: int, body: bytes) -> list[StreamHead | Packet]:
        """A new stream begins: ours, if it is Opus that can be decoded."""
        if not body.startswith(b"OpusHead"):
            if len(self._foreign) < MAX_FOREIGN_STREAMS:
                self._foreign.add(serial)
            return []
        self.damaged |= self._partial is not None
        mapped = len(body) > 18 and body[18] != 0
        channels = body[9] if len(body) > 9 else 0
        usable = len(body) >= (21 + channels if mapped else 19) and body[8] < 16
        if not usable or not 1 <= channels <= (MAX_CHANNELS if mapped else 2):
            self.damaged, self._serial = True, None
            return []
        self._serial = serial
        self._foreign.discard(serial)
        self._begin(sequence + 1, int.from_bytes(body[10:12], "little"), body[19] if mapped else 1)
        return [StreamHead(body[:10] + bytes(2) + body[12:], channels)]

    def _packets(self, body: bytes, lacing: bytes, continued: bool) -> list[tuple[bytes, int]]:
        """The packets that end on this page, each with its samples."""
        if continued != (self._partial is not None):
            self.damaged = True
        # A continued packet whose beginning is lost is passed over: None.
        packet: bytearray | None = self._partial if continued else bytearray()
        whole, at = [], 0
        for size in lacing:
            if packet is not None and len(packet) <= MAX_OGG_PACKET_BYTES:
                packet += body[at : at + size]
            at += size
            if size < 255:
                whole += self._ended(packet)
                packet = bytearray()
        goes_on = lacing[-1] == 255 if lacing else continued
        self._partial = packet if goes_on else None
        return whole

    def _ended(self, packet: bytearray | None) -> list[tuple[bytes, int]]:
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
            # Of several streams only the last packet is written in the plain form (section 3).
            return [(data, packet_samples(data) if self._streams == 1 else stated_samples(data))]
        except InvalidChunk:
            self.damaged = True
            return []
