"""Extraction of Opus packets from a WebM stream (RFC 8794, RFC 9559), as a browser's MediaRecorder writes it.

Pure Python on bounded buffers, as for Ogg (``opus_packets.py``): untrusted bytes reach native code only as single
packets, in a process of its own. The result does not depend on how the bytes are split.

Segments and clusters, whose size a recorder does not know, are entered; what is inside of them is read element by
element. Blocks have times: where they jump, as after a pause of the recorder, silence is filled in.
"""

from __future__ import annotations

from server.audio.encodings import OPUS_RATE_HZ, InvalidChunk, packet_samples, stated_samples
from server.audio.opus_packets import Gap, Packet, StreamHead, parse_opus_head

HEADER, SEGMENT, INFO, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
TIMESTAMP, SIMPLE_BLOCK, BLOCK_GROUP = 0xE7, 0xA3, 0xA0
_ENTERED = frozenset({SEGMENT, CLUSTER})
_BLOCKS = frozenset({SIMPLE_BLOCK, BLOCK_GROUP})
_READ = frozenset({HEADER, INFO, TRACKS, TIMESTAMP}) | _BLOCKS
# Seek head, cues, attachments, chapters, tags; void, checksum; silent tracks, position, previous size, encrypted block.
_SKIPPED = frozenset({0x114D9B74, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF, 0x5854, 0xA7, 0xAB, 0xAF})
TIMESTAMP_SCALE = 0x2AD7B1
BLOCK, DISCARD_PADDING = 0xA1, 0x75A2
TRACK_ENTRY, TRACK_NUMBER, CODEC_ID, CODEC_PRIVATE, CONTENT_ENCODINGS = 0xAE, 0xD7, 0x86, 0x63A2, 0x6D80
# Where reading begins again after something that is no element.
_STARTS = tuple(id_.to_bytes(4, "big") for id_ in (HEADER, CLUSTER))
MAX_HEAD_BYTES = 12
# A recorder's elements are much smaller: headers some hundred bytes, blocks of video, which are skipped, up to this.
MAX_READ_BYTES = 64 * 1024
MAX_SKIPPED_BYTES = 16 * 1024 * 1024
_LONGEST = {
    **dict.fromkeys(_READ - _BLOCKS, MAX_READ_BYTES),
    **dict.fromkeys(_BLOCKS | _SKIPPED, MAX_SKIPPED_BYTES),
}
"""The greatest size of each element that may come, bytes."""
# Jitter of a recorder's clock, which is no pause.
MIN_GAP_SAMPLES = OPUS_RATE_HZ // 10
# More than the longest meeting by default (12 h). A jump beyond is no pause, but a wrong time.
MAX_GAPS_SAMPLES = 12 * 3600 * OPUS_RATE_HZ
# A gap is given in pieces, so that its silence need not be held as a whole.
GAP_PIECE_SAMPLES = OPUS_RATE_HZ


class WebmReader:
    """Parser for the first Opus track of a WebM stream, or of several in sequence; other tracks are skipped."""

    def __init__(self) -> None:
        self.damaged = False
        self._buffer = bytearray()
        self._to_skip = 0
        self._searching = True
        self._filled = 0
        """Samples of silence filled in so far."""
        self._track: int | None = None
        self._begin_stream()

    def _begin_stream(self) -> None:
        self._scale_ns = 1_000_000
        self._cluster_ticks = 0
        self._skip = 0
        self._streams = 1
        self._origin: int | None = None
        """Time of the first block, samples at 48 kHz."""
        self._position = 0
        """Samples of the stream so far, silence included."""

    def feed(self, raw: bytes | memoryview) -> list[StreamHead | Packet | Gap]:
        """See PacketReader.feed."""
        self._buffer += raw
        items: list[StreamHead | Packet | Gap] = []
        offset = 0
        while True:
            skipped = min(self._to_skip, len(self._buffer) - offset)
            self._to_skip -= skipped
            offset += skipped
            if self._searching:
                start = self._find_start(offset)
                self.damaged |= start > offset
                offset = start
                if start >= len(self._buffer) - 3:
                    break
                self._searching = False
            head = _read_head(self._buffer, offset, len(self._buffer))
            if head is None:
                if len(self._buffer) - offset < MAX_HEAD_BYTES:
                    break
                offset = self._lose(offset)
                continue
            id_, size, begin = head
            if id_ in _ENTERED:
                offset = begin
                if id_ == CLUSTER:
                    self._cluster_ticks = 0
            elif size is None or size > _LONGEST.get(id_, -1):
                offset = self._lose(offset)
            elif id_ in _SKIPPED or size > MAX_READ_BYTES:
                offset, self._to_skip = begin, size
            elif begin + size > len(self._buffer):
                break
            else:
                items += self._read(id_, bytes(self._buffer[begin : begin + size]))
                offset = begin + size
        del self._buffer[:offset]
        return items

    def finish(self) -> None:
        """See PacketReader.finish."""
        self.damaged |= bool(self._buffer) or bool(self._to_skip)

    def _lose(self, offset: int) -> int:
        """Note that there is no element here, and search for the next start."""
        self.damaged = self._searching = True
        return offset + 1

    def _find_start(self, offset: int) -> int:
        """Return the index of the next header or cluster; or of the last bytes, which may begin one."""
        found = [at for start in _STARTS if (at := self._buffer.find(start, offset)) >= 0]
        return min(found, default=max(offset, len(self._buffer) - 3))

    def _read(self, id_: int, body: bytes) -> list[StreamHead | Packet | Gap]:
        if id_ == HEADER:
            # A new recording follows: its times begin anew.
            self._track = None
            self._begin_stream()
        elif id_ == INFO:
            self._scale_ns = _number(_children(body).get(TIMESTAMP_SCALE, b"")) or self._scale_ns
        elif id_ == TIMESTAMP:
            self._cluster_ticks = _number(body)
        elif id_ == TRACKS:
            return self._read_tracks(body)
        elif id_ == SIMPLE_BLOCK:
            return self._read_block(body, 0)
        else:
            children = _children(body)
            padding = int.from_bytes(children.get(DISCARD_PADDING, b"")[:8], "big", signed=True)
            return self._read_block(children.get(BLOCK, b""), max(0, padding))
        return []

    def _read_tracks(self, body: bytes) -> list[StreamHead | Packet | Gap]:
        """Choose the first decodable Opus track."""
        for id_, entry in _elements(body):
            track = _children(entry) if id_ == TRACK_ENTRY else {}
            if track.get(CODEC_ID, b"").rstrip(b"\0") != b"A_OPUS":
                continue
            parsed = parse_opus_head(track.get(CODEC_PRIVATE, b""))
            if parsed is None or CONTENT_ENCODINGS in track:
                self.damaged = True
                continue
            head, self._skip, self._streams = parsed
            self._track = _number(track.get(TRACK_NUMBER, b""))
            return [head]
        self.damaged = True
        return []

    def _read_block(self, block: bytes, padding_ns: int) -> list[StreamHead | Packet | Gap]:
        number = _read_number(block, 0, len(block), keep_marker=False)
        if number is None or len(block) < number[1] + 3:
            self.damaged = True
            return []
        begin = number[1]
        if number[0] != self._track:
            # Video beside the sound; without any track, a block whose header was lost.
            self.damaged |= self._track is None
            return []
        data = block[begin + 3 :]
        try:
            if block[begin + 2] & 0x06:
                raise InvalidChunk("laced")
            samples = packet_samples(data) if self._streams == 1 else stated_samples(data)
        except InvalidChunk:
            self.damaged = True
            return []
        ticks = self._cluster_ticks + int.from_bytes(block[begin : begin + 2], "big", signed=True)
        items: list[StreamHead | Packet | Gap] = [*self._gap_before(ticks)]
        last = max(0, samples - padding_ns * OPUS_RATE_HZ // 1_000_000_000)
        first = min(self._skip, samples)
        self._skip -= first
        self._position += samples
        return [*items, Packet(data, samples, min(first, last), last)]

    def _gap_before(self, ticks: int) -> list[Gap]:
        """Return the silence up to a block's time."""
        moment = ticks * self._scale_ns * OPUS_RATE_HZ // 1_000_000_000
        if self._origin is None:
            self._origin = moment
        missing = moment - self._origin - self._position
        if missing < MIN_GAP_SAMPLES:
            return []
        if self._filled + missing > MAX_GAPS_SAMPLES:
            # Go on by the clock of these blocks.
            self.damaged, self._origin = True, moment - self._position
            return []
        self._filled += missing
        self._position += missing
        whole, rest = divmod(missing, GAP_PIECE_SAMPLES)
        return [Gap(GAP_PIECE_SAMPLES)] * whole + [Gap(rest)] * bool(rest)


def _read_head(data: bytes | bytearray, offset: int, end: int) -> tuple[int, int | None, int] | None:
    """Return id, size (None: unknown) and start of the body of the element here; None if it is none, or incomplete."""
    id_ = _read_number(data, offset, end, keep_marker=True, longest=4)
    size = _read_number(data, id_[1], end, keep_marker=False) if id_ is not None else None
    if id_ is None or size is None:
        return None
    width = size[1] - id_[1]
    return id_[0], None if size[0] == (1 << 7 * width) - 1 else size[0], size[1]


def _read_number(
    data: bytes | bytearray, offset: int, end: int, *, keep_marker: bool, longest: int = 8
) -> tuple[int, int] | None:
    """Return a number of variable size, and the index after it; None if it is none, or incomplete."""
    if offset >= end or not data[offset]:
        return None
    width = 9 - data[offset].bit_length()
    if width > longest or offset + width > end:
        return None
    number = int.from_bytes(data[offset : offset + width], "big")
    return (number if keep_marker else number & ((1 << 7 * width) - 1)), offset + width


def _elements(body: bytes) -> list[tuple[int, bytes]]:
    """Return ids and bodies of the whole elements in a body."""
    found: list[tuple[int, bytes]] = []
    offset = 0
    while (head := _read_head(body, offset, len(body))) is not None:
        id_, size, begin = head
        if size is None or begin + size > len(body):
            break
        found.append((id_, body[begin : begin + size]))
        offset = begin + size
    return found


def _children(body: bytes) -> dict[int, bytes]:
    """Return the bodies of the elements in a body, by id."""
    return dict(_elements(body))


def _number(body: bytes) -> int:
    """Return an unsigned number of up to eight bytes."""
    return int.from_bytes(body[:8], "big")
