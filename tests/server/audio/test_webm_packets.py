"""Packets out of what MediaRecorder makes: all, in order, with its pauses; whatever comes, however it is cut."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.audio.opus_packets import Gap, Packet, StreamHead, opus_head
from server.audio.webm_packets import MAX_GAPS_SAMPLES, WebmReader
from tests.recordings import RATE_HZ, encoded, sample_pcm
from tests.server.audio.opus_audio import cut, raw_packets

PCM = sample_pcm()[: 3 * RATE_HZ]
PACKETS = raw_packets(PCM)
SIZES = st.lists(st.integers(1, 3000), min_size=1, max_size=8)
UNKNOWN = b"\x01" + b"\xff" * 7
Item = StreamHead | Packet | Gap


def element(id_: int, body: bytes, size: bytes | None = None) -> bytes:
    head = id_.to_bytes((id_.bit_length() + 7) // 8, "big")
    return head + (size or (len(body) | 1 << 56).to_bytes(8, "big")) + body


def block(ticks: int, packet: bytes, track: int = 1, flags: int = 0x80) -> bytes:
    return element(0xA3, bytes([0x80 | track]) + ticks.to_bytes(2, "big", signed=True) + bytes([flags]) + packet)


def header(codec: bytes = b"A_OPUS", pre_skip: int = 0, track: int = 1) -> bytes:
    """What comes before the first cluster, as Chromium writes it: the segment's size is not known."""
    head = bytearray(opus_head(1))
    head[10:12] = pre_skip.to_bytes(2, "little")
    entry = element(0xD7, bytes([track])) + element(0x86, codec) + element(0x63A2, bytes(head))
    info = element(0x2AD7B1, (1_000_000).to_bytes(3, "big")) + element(0x4D80, b"Chrome")
    start = element(0x1A45DFA3, element(0x4282, b"webm")) + element(0x18538067, b"", UNKNOWN)
    return start + element(0x1549A966, info) + element(0x1654AE6B, element(0xAE, entry))


def cluster(ticks: int, blocks: bytes) -> bytes:
    return element(0x1F43B675, b"", UNKNOWN) + element(0xE7, ticks.to_bytes(4, "big")) + blocks


def recorded(packets: Sequence[bytes] = PACKETS, *, begin_ms: int = 0, per_cluster: int = 40) -> bytes:
    """A recording of packets of 20 ms."""
    clusters = [
        cluster(
            begin_ms + 20 * first,
            b"".join(block(20 * n, packet) for n, packet in enumerate(packets[first : first + per_cluster])),
        )
        for first in range(0, len(packets), per_cluster)
    ]
    return header() + b"".join(clusters)


def read(pieces: Sequence[bytes]) -> tuple[list[Item], bool]:
    reader = WebmReader()
    # Heads are objects of their own: they are compared by their bytes.
    items: list[Any] = [item for piece in pieces for item in reader.feed(piece)]
    reader.finish()
    return [Packet(item.data, 0, 0, 0) if isinstance(item, StreamHead) else item for item in items], reader.damaged


def data(items: Sequence[Item]) -> list[bytes]:
    return [item.data for item in items if isinstance(item, Packet) and item.samples]


def gaps(items: Sequence[Item]) -> int:
    return sum(item.samples for item in items if isinstance(item, Gap))


def ffmpegs(**options: str) -> bytes:
    """The same sound, written by FFmpeg."""
    out = io.BytesIO()
    source: Any = av.open(io.BytesIO(encoded(PCM, "ogg", "libopus")))
    with av.open(out, "w", format="webm", options=options) as container:
        stream = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"live": "1"}, {"cluster_time_limit": "100"}], ids=["file", "live", "clusters"]
)
def test_the_packets_are_those_that_ffmpeg_reads(options: dict[str, str]) -> None:
    webm = ffmpegs(**options)
    container: Any
    with av.open(io.BytesIO(webm)) as container:
        expected = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    items, damaged = read([webm])
    assert data(items) == expected
    assert not damaged
    assert gaps(items) == 0
    assert sum(item.first for item in items if isinstance(item, Packet)) == 312


def test_a_recording_of_unknown_sizes_gives_all_its_packets() -> None:
    items, damaged = read([recorded()])
    assert (data(items), damaged, gaps(items)) == (PACKETS, False, 0)
    assert isinstance(items[0], Packet)
    assert items[0].data == opus_head(1)


@given(SIZES)
@settings(max_examples=30)
def test_it_does_not_matter_how_it_is_cut(sizes: list[int]) -> None:
    assert read(cut(recorded(), sizes)) == read([recorded()])
    assert read(cut(ffmpegs(), sizes)) == read([ffmpegs()])


def test_a_pause_is_silence_of_its_length() -> None:
    paused = header() + cluster(0, b"".join(block(20 * n, packet) for n, packet in enumerate(PACKETS[:10])))
    paused += cluster(7_200, b"".join(block(20 * n, packet) for n, packet in enumerate(PACKETS[10:20])))
    items, damaged = read([paused])
    assert (data(items), damaged) == (PACKETS[:20], False)
    assert gaps(items) == 48 * 7_000
    assert items.index(next(item for item in items if isinstance(item, Gap))) == 11


def test_a_clock_that_jitters_makes_no_gap_and_one_that_drifts_is_followed() -> None:
    jittering = b"".join(block(20 * n + (n % 5) * 9, packet) for n, packet in enumerate(PACKETS[:100]))
    assert gaps(read([header() + cluster(0, jittering)])[0]) == 0
    drifting = b"".join(block(22 * n, packet) for n, packet in enumerate(PACKETS[:101]))
    assert 48 * 100 <= gaps(read([header() + cluster(0, drifting)])[0]) <= 48 * 200


def test_a_recording_that_begins_late_begins_with_its_first_block() -> None:
    assert gaps(read([recorded(begin_ms=60_000)])[0]) == 0


def test_a_second_recording_goes_on_in_the_same_track() -> None:
    items, damaged = read([recorded(PACKETS[:50]) + recorded(PACKETS[50:], begin_ms=5)])
    assert (data(items), damaged, gaps(items)) == (PACKETS, False, 0)


def test_video_beside_the_sound_is_skipped() -> None:
    blocks = b"".join(
        block(20 * n, packet) + block(20 * n, bytes(100_000), track=2) for n, packet in enumerate(PACKETS[:5])
    )
    group = element(0xA0, element(0xA1, b"\x82\0\0\0" + bytes(100_000)))
    assert read([header() + cluster(0, blocks + group)])[0][1:] == [
        Packet(packet, 960, 0, 960) for packet in PACKETS[:5]
    ]
    assert not read([header() + cluster(0, blocks + group)])[1]


def test_what_an_encoder_puts_before_and_after_is_left_out() -> None:
    padded = element(
        0xA0, element(0xA1, b"\x81\0\x14\0" + PACKETS[1]) + element(0x75A2, (10_000_000).to_bytes(4, "big"))
    )
    items, damaged = read([header(pre_skip=312) + cluster(0, block(0, PACKETS[0]) + padded)])
    assert items[1:] == [Packet(PACKETS[0], 960, 312, 960), Packet(PACKETS[1], 960, 0, 480)]
    assert not damaged


@pytest.mark.parametrize(
    "broken",
    [
        header(codec=b"A_VORBIS") + cluster(0, block(0, PACKETS[0])),
        header() + cluster(0, block(0, PACKETS[0], flags=0x02)),
        header() + cluster(0, block(0, b"")),
        cluster(0, block(0, PACKETS[0])),
        header() + element(0x1654AE6B, b"", UNKNOWN),
        header() + cluster(0, element(0xEC, b"", (2**40 | 1 << 56).to_bytes(8, "big"))),
        header() + bytes(100),
        b"OggS" * 100,
    ],
    ids=["other codec", "lacing", "no packet", "no header", "unknown size", "too large", "zeros", "Ogg"],
)
def test_what_cannot_be_read_is_noted_and_what_follows_is_read(broken: bytes) -> None:
    items, damaged = read([broken + recorded(PACKETS[:20])])
    assert damaged
    assert data(items)[-20:] == PACKETS[:20]


def test_a_time_beyond_any_meeting_is_no_pause() -> None:
    far = header() + cluster(0, block(0, PACKETS[0])) + cluster(2**32 - 1, block(0, PACKETS[1]) + block(20, PACKETS[2]))
    items, damaged = read([far])
    assert (data(items), damaged, gaps(items)) == (PACKETS[:3], True, 0)
    hours = [cluster(hour * 3_600_000, block(0, PACKETS[hour])) for hour in range(30)]
    items, damaged = read([header() + b"".join(hours)])
    assert damaged
    assert gaps(items) <= MAX_GAPS_SAMPLES


@given(st.integers(0, len(recorded()) - 1), st.integers(1, 255), SIZES)
@settings(max_examples=60)
def test_a_broken_byte_breaks_little(at: int, change: int, sizes: list[int]) -> None:
    broken = bytearray(recorded())
    broken[at] ^= change
    items, damaged = read(cut(bytes(broken), sizes))
    assert (items, damaged) == read([bytes(broken)])


@given(st.binary(max_size=3000), SIZES)
def test_no_bytes_break_it(raw: bytes, sizes: list[int]) -> None:
    for log in (raw, recorded(PACKETS[:3]) + raw, header() + element(0x1F43B675, b"", UNKNOWN) + raw):
        items, damaged = read(cut(log, sizes)) if log else ([], False)
        assert (items, damaged) == read([log])
