"""Audio quality of speakers, from what was measured of their segments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Acoustics, Conversation, Interval
from server.insights.audio_quality import audio_quality, fragments, is_lagging, is_reverberant, microphone_quality
from tests.server.conversation.spoken import S, conversation
from tests.server.insights.talks import renamed, talks


@pytest.mark.parametrize(("mos", "quality"), [(1, 0), (3, 50), (5, 100), (0.5, 0), (6, 100)])
def test_microphone_quality_is_the_opinion_score_in_percent(mos: float, quality: float) -> None:
    assert microphone_quality(mos) == quality


def test_slow_decays_are_reverberation_and_few_say_nothing() -> None:
    assert is_reverberant([90, 100, 110, 120], 10)
    assert not is_reverberant([200, 250, 300, 100], 10)
    assert not is_reverberant([90], 10)
    assert is_reverberant([], 60)


def test_lagging_is_several_gaps_a_minute() -> None:
    assert is_lagging(3, 60)
    assert not is_lagging(1, 1)
    assert not is_lagging(3, 120)


def test_speakers_are_described_by_their_own_segments_weighted_by_length() -> None:
    talk = conversation((1, 0, 10), (1, 20, 50), (2, 60, 70))
    heard = (
        Acoustics(level_dbfs=-20, noise_dbfs=-60, mos_overall=3.0, clipping_percent=4.0),
        Acoustics(level_dbfs=-24, noise_dbfs=-64, mos_overall=4.0, gaps=4, gap_seconds=0.2),
        Acoustics(level_dbfs=-30),
    )
    talk = replace(
        talk,
        segments=tuple(replace(s, acoustics=a) for s, a in zip(talk.segments, heard, strict=True)),
        music=(Interval(65 * S, 80 * S),),
    )
    first, second = audio_quality(talk)
    assert first["mos"] == 3.75
    assert first["microphone_quality"] == 68.8
    assert (first["noise_db"], first["snr_db"], first["clipping_percent"]) == (-63, 40, 1)
    assert first["lagging"]
    assert (second["mos"], second["noise_db"], second["lagging"]) == (None, None, False)
    assert [fragment["music"] for fragment in fragments(talk)] == [False, False, True]


def test_a_segment_without_known_noise_has_no_part_in_the_noise_ratio() -> None:
    talk = conversation((1, 0, 10), (1, 20, 30))
    heard = (Acoustics(level_dbfs=-30, noise_dbfs=-60), Acoustics(level_dbfs=-10))
    talk = replace(talk, segments=tuple(replace(s, acoustics=a) for s, a in zip(talk.segments, heard, strict=True)))
    (found,) = audio_quality(talk)
    assert (found["level_db"], found["noise_db"], found["snr_db"]) == (-20, -60, 30)


@given(talks(), st.permutations(range(1, 7)))
def test_quality_stays_in_its_bounds_and_belongs_to_the_voice_not_the_number(
    talk: Conversation, names: list[int]
) -> None:
    for found in audio_quality(talk):
        assert found["mos"] is None or 1 <= found["mos"] <= 5
        assert (found["mos"] is None) == (found["microphone_quality"] is None)
        assert found["microphone_quality"] is None or 0 <= found["microphone_quality"] <= 100
        assert (found["noise_db"] is None) == (found["snr_db"] is None)
        assert 0 <= found["clipping_percent"] <= 100
    expected = [{**found, "speaker": names[found["speaker"] - 1]} for found in audio_quality(talk)]
    assert audio_quality(renamed(talk, names)) == expected
