"""The buffer of one track: what it sends next, forgets and sends again."""

from __future__ import annotations

import pytest

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.track_buffers import PacketBuffer, SampleBuffer, TrackBuffer, track_buffer
from meetra_client.tracks import Encoding, Track

ONE_FRAME, TWO_FRAMES = bytes([31 << 3]) + b"a", bytes([31 << 3 | 1]) + b"bb"


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        pytest.param(Encoding.PCM_S16LE, SampleBuffer, id="pcm"),
        pytest.param(Encoding.OGG_OPUS, SampleBuffer, id="ogg"),
        pytest.param(Encoding.OPUS, PacketBuffer, id="opus"),
    ],
)
def test_packets_are_kept_whole_and_all_else_is_not(encoding: Encoding, kind: type[TrackBuffer]) -> None:
    assert type(track_buffer(Track("a", encoding=encoding))) is kind


def test_samples_are_sent_from_where_they_begin_and_again_from_where_the_server_stands() -> None:
    buffer = track_buffer(Track("a"))
    buffer.begin(100)
    buffer.append(bytes(range(20)))
    assert buffer.next_chunk(12) == (100, bytes(range(12)))
    assert buffer.next_chunk(12) == (106, bytes(range(12, 20)))
    assert buffer.next_chunk(12) is None
    buffer.rewind(103)
    assert (buffer.acknowledged, buffer.end, buffer.buffered_bytes) == (103, 110, 14)
    assert buffer.next_chunk(100) == (103, bytes(range(6, 20)))


def test_packets_of_which_a_part_is_acknowledged_are_kept() -> None:
    buffer = track_buffer(Track("a", encoding=Encoding.OPUS))
    buffer.append(ONE_FRAME)
    buffer.append(TWO_FRAMES)
    assert buffer.next_chunk(1) == (0, ONE_FRAME)
    buffer.acknowledge(1000)
    assert buffer.buffered_bytes == len(TWO_FRAMES)
    buffer.acknowledge(2880)
    assert (buffer.buffered_bytes, buffer.next_chunk(1)) == (0, None)


def test_a_capture_time_is_forgotten_with_its_sample() -> None:
    buffer = track_buffer(Track("a"))
    buffer.append(bytes(4))
    buffer.mark(500)
    buffer.append(bytes(4))
    assert (buffer.captured_ms(1), buffer.captured_ms(2)) == (None, 500)
    buffer.acknowledge(3)
    assert buffer.captured_ms(2) is None


def test_positions_that_nobody_here_can_have_made_are_errors() -> None:
    buffer = track_buffer(Track("a"))
    buffer.append(bytes(20))
    with pytest.raises(TakenOver):
        buffer.acknowledge(11)
    buffer.acknowledge(5)
    with pytest.raises(AudioLost):
        buffer.rewind(4)


def test_a_buffer_says_when_it_ends_in_the_meeting_where_it_counts_samples() -> None:
    buffer = track_buffer(Track("a", start_ms=500))
    buffer.append(bytes(32_000))
    assert buffer.end_s(8_000) == 2
    assert track_buffer(Track("a", encoding=Encoding.OGG_OPUS)).end_s(8_000) == 0
