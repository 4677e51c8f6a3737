"""Positions of chunks and logs: what a chunk spans, and what a log still holds after a crash."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.audio.encodings import (
    Encoding,
    InvalidChunk,
    TrackFormat,
    chunk_positions,
    encode_record,
    packet_samples,
    read_log_positions,
)
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.audio.opus_audio import raw_packets

OPUS = TrackFormat(Encoding.OPUS, 48_000, 1)
OGG = TrackFormat(Encoding.OGG_OPUS, 48_000, 1)
FIXED = st.builds(
    TrackFormat,
    st.sampled_from([Encoding.PCM_S16LE, Encoding.PCM_F32LE, Encoding.MULAW]),
    st.integers(8000, 48_000),
    st.integers(1, 8),
)


@pytest.mark.parametrize(
    ("encoding", "channels", "size", "per_second"),
    [
        (Encoding.PCM_S16LE, 1, 2, 44_100),
        (Encoding.PCM_S16LE, 3, 6, 44_100),
        (Encoding.PCM_F32LE, 2, 8, 44_100),
        (Encoding.MULAW, 2, 2, 44_100),
        (Encoding.OPUS, 1, None, 48_000),
        (Encoding.OGG_OPUS, 1, 1, None),
    ],
)
def test_a_position_has_its_size_and_rate(
    encoding: Encoding, channels: int, size: int | None, per_second: int | None
) -> None:
    rate = 48_000 if "opus" in encoding else 44_100
    found = TrackFormat(encoding, rate, channels)
    assert (found.position_bytes, found.positions_per_second) == (size, per_second)


@given(FIXED, st.integers(1, 500), st.integers(0, 40))
def test_whole_samples_are_counted_and_a_half_sample_is_refused(format: TrackFormat, count: int, more: int) -> None:
    size = format.position_bytes or 0
    data = bytes(count * size + more)
    if more % size:
        with pytest.raises(InvalidChunk, match=rf"audio.data: {len(data)} bytes .* {size} bytes; send whole samples"):
            chunk_positions(format, data)
    else:
        assert chunk_positions(format, data) == count + more // size


@pytest.mark.parametrize("format", [OPUS, OGG, TrackFormat(Encoding.MULAW, 8000, 1)])
def test_an_empty_chunk_is_refused(format: TrackFormat) -> None:
    with pytest.raises(InvalidChunk, match=r"audio\.data: empty"):
        chunk_positions(format, b"")


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 80, 100, 120])
def test_packets_of_the_encoder_last_as_long_as_it_was_told(frame_ms: float) -> None:
    packets = raw_packets(sample_pcm()[:RATE_HZ], frame_ms)
    assert packets
    assert {chunk_positions(OPUS, packet) for packet in packets} == {frame_ms * 48}


# Configuration 1 is SILK of 20 ms, 31 CELT of 20 ms, 16 CELT of 2.5 ms, 3 SILK of 60 ms, 13 hybrid of 20 ms.
@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (bytes([1 << 3]), 960),  # a frame of no bytes: silence that the encoder does not send
        (bytes([16 << 3]) + bytes(1275), 120),
        (bytes([13 << 3 | 1]) + bytes(20), 1920),
        (bytes([3 << 3 | 2, 3]) + bytes(9), 5760),
        (bytes([1 << 3 | 2, 252, 1]) + bytes(256 + 5), 1920),  # a length in two bytes
        (bytes([31 << 3 | 3, 3]) + bytes(30), 2880),
        (bytes([31 << 3 | 3, 0x40 | 2, 4]) + bytes(10 + 4), 1920),  # with padding
        (bytes([31 << 3 | 3, 0x40 | 2, 255, 1]) + bytes(10 + 255), 1920),
        (bytes([31 << 3 | 3, 0x80 | 3, 1, 2]) + bytes(3 + 9), 2880),  # sizes that differ
        (bytes([16 << 3 | 3, 48]), 5760),
    ],
)
def test_the_rules_of_rfc_6716_allow(packet: bytes, samples: int) -> None:
    assert packet_samples(packet) == samples


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (bytes([16 << 3]) + bytes(1276), "a frame of 1276 bytes"),
        (bytes([13 << 3 | 1]) + bytes(21), "equal frames"),
        (bytes([13 << 3 | 1]) + bytes(2552), "a frame of 1276 bytes"),
        (bytes([3 << 3 | 2]), "truncated"),
        (bytes([3 << 3 | 2, 252]), "truncated"),
        (bytes([3 << 3 | 2, 10]) + bytes(9), "exceed the packet"),
        (bytes([31 << 3 | 3]), "frame count"),
        (bytes([31 << 3 | 3, 0]), "0 frames"),
        (bytes([31 << 3 | 3, 7]) + bytes(7), "not within 2.5 to 120 ms"),
        (bytes([31 << 3 | 3, 3]) + bytes(31), "equal frames"),
        (bytes([31 << 3 | 3, 0x40 | 2]), "padding is truncated"),
        (bytes([31 << 3 | 3, 0x40 | 2, 9]) + bytes(8), "equal frames"),
        (bytes([31 << 3 | 3, 0x80 | 3, 9, 9]) + bytes(17), "exceed the packet"),
        (bytes([31 << 3 | 3, 0x40 | 1]) + b"\xff" * 65_534, "65536 bytes"),
    ],
)
def test_the_rules_of_rfc_6716_forbid(packet: bytes, why: str) -> None:
    with pytest.raises(
        InvalidChunk, match=rf"audio.data: not a valid Opus packet \(.*{why}.*\); send one whole packet"
    ):
        chunk_positions(OPUS, packet)


@given(st.binary(min_size=1, max_size=600))
def test_any_bytes_are_a_packet_of_possible_length_or_refused(data: bytes) -> None:
    samples = 0
    with suppress(InvalidChunk):
        samples = chunk_positions(OPUS, data)
    assert samples == 0 or 120 <= samples <= 5760


PACKETS = st.lists(
    st.one_of(st.binary(min_size=1, max_size=300).map(lambda rest: b"\x08" + rest), st.just(b"\x08")), max_size=12
)


@given(PACKETS, st.integers(0, 400))
def test_a_log_of_packets_holds_those_that_are_whole(packets: list[bytes], lost: int) -> None:
    records = [encode_record(OPUS, packet) for packet in packets]
    log = b"".join(records)
    log = log[: max(0, len(log) - lost)]
    whole = 0
    while sum(map(len, records[: whole + 1])) <= len(log) and whole < len(records):
        whole += 1
    expected = (960 * whole, sum(map(len, records[:whole])))
    assert read_log_positions(OPUS, log) == expected
    assert read_log_positions(OPUS, BytesIO(log)) == expected


@given(FIXED, st.integers(0, 500), st.integers(0, 31))
def test_a_log_of_samples_holds_those_that_are_whole(format: TrackFormat, count: int, more: int) -> None:
    size = format.position_bytes or 0
    log = encode_record(format, bytes(count * size)) + bytes(more % size)
    assert read_log_positions(format, log) == (count, count * size)
    assert read_log_positions(format, memoryview(log)) == (count, count * size)


def test_every_byte_of_an_ogg_log_is_a_position() -> None:
    assert chunk_positions(OGG, b"any") == 3
    assert encode_record(OGG, b"any") == b"any"
    assert read_log_positions(OGG, b"anybytes") == (8, 8)


def test_zeros_that_a_file_system_left_at_the_end_are_no_packets(tmp_path: Path) -> None:
    packets = raw_packets(sample_pcm()[:RATE_HZ])
    log = b"".join(encode_record(OPUS, packet) for packet in packets)
    path = tmp_path / "log"
    path.write_bytes(log + bytes(4096))
    with path.open("rb") as file:
        file.seek(100)
        assert read_log_positions(OPUS, file) == (960 * len(packets), len(log))


def test_a_large_log_of_samples_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(2**40 + 1)  # a file of holes: reading it would take an hour
    with path.open("rb") as file:
        assert read_log_positions(TrackFormat(Encoding.PCM_S16LE, 48_000, 2), file) == (2**38, 2**40)
