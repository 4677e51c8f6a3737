"""Tracks: what a position is, and what the server is told; lengths of Opus packets are in ``test_outbox``."""

from __future__ import annotations

import pytest
from meetra.v1 import live_pb2

from meetra_client import Encoding, Kind, Track


@pytest.mark.parametrize(
    ("track", "unit_bytes", "rate_hz"),
    [
        (Track("a"), 2, 16_000),
        (Track("a", channels=3), 6, 16_000),
        (Track("a", encoding=Encoding.PCM_F32LE, sample_rate_hz=48_000, channels=2), 8, 48_000),
        (Track("a", encoding=Encoding.MULAW, sample_rate_hz=8000), 1, 8000),
        (Track("a", encoding=Encoding.OPUS, sample_rate_hz=8000, channels=2), 0, 48_000),
        (Track("a", encoding=Encoding.OGG_OPUS), 1, None),
        (Track("a", encoding=Encoding.WEBM_OPUS), 1, None),
    ],
)
def test_a_position_is_a_sample_of_all_channels_or_a_byte_of_ogg(
    track: Track, unit_bytes: int, rate_hz: int | None
) -> None:
    assert (track.unit_bytes, track.rate_hz) == (unit_bytes, rate_hz)


@pytest.mark.parametrize(
    ("track", "kind"),
    [
        (Track("a"), Kind.MIXED),
        (Track("a", participant_name="Ada"), Kind.PARTICIPANT),
        (Track("a", separate=True), Kind.PARTICIPANT),
        (Track("a", kind=Kind.PARTICIPANT), Kind.PARTICIPANT),
        (Track("a", kind=Kind.MIXED, participant_name="Ada"), Kind.MIXED),
    ],
)
def test_a_track_with_a_name_is_a_participant_s_unless_it_is_said_to_be_none(track: Track, kind: Kind) -> None:
    assert Kind(track.config().kind) is kind


def test_opus_says_its_rate_itself_and_its_channels_only_where_they_are_separate() -> None:
    plain = Track("a", encoding=Encoding.OPUS, sample_rate_hz=8000, channels=2).config()
    assert (plain.sample_rate_hz, plain.channels, plain.channel_use) == (48_000, 0, live_pb2.CHANNEL_USE_UNSPECIFIED)
    call = Track("a", encoding=Encoding.OPUS, channels=2, separate=True, channel_names=("Ada", "Grace")).config()
    assert (call.channels, call.channel_use) == (2, live_pb2.CHANNEL_USE_SEPARATE)
    assert list(call.channel_names) == ["Ada", "Grace"]
