"""Vocal activation: each speaker beside themselves, from level, pitch spread and pace."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Acoustics, Conversation, Word
from server.insights.energy import energy, energy_parts
from server.insights.timeline import build_timeline
from server.insights.timeline.activation import compute_activations
from tests.server.conversation.spoken import S, conversation


def spoken(*levels: float, speaker: int = 1, pitch: float = 10.0) -> Conversation:
    """One utterance of 2 s for each level, 4 s apart."""
    talk = conversation(*((speaker, 4.0 * i, 4.0 * i + 2) for i in range(len(levels))))
    heard = [
        replace(
            s,
            acoustics=Acoustics(level, voiced_seconds=1, pitch_semitones=pitch, pitch_spread_semitones=2),
            words=(Word("word", s.start_us, s.end_us, None),),
        )
        for s, level in zip(talk.segments, levels, strict=True)
    ]
    return replace(talk, segments=tuple(heard))


def test_only_what_varies_tells_anything() -> None:
    # Levels -24, -22 .. -16: the other two features are always the same, their z-scores 0.
    found = build_timeline(spoken(-24, -22, -20, -18, -16)).activations
    loudest = 4 / (8**0.5)
    assert found[2] == 0.5
    assert found[4] == pytest.approx(NormalDist().cdf(loudest / 3), abs=1e-4)
    assert found[0] == pytest.approx(1 - (found[4] or 0), abs=1e-4)


def test_four_utterances_are_too_few_to_compare() -> None:
    line = build_timeline(spoken(-24, -22, -20, -18))
    assert line.activations == (None,) * 4
    assert "vocal_activation" not in energy_parts(line, line.full_window)


def test_what_was_not_measured_is_left_out() -> None:
    bare = conversation(*((1, 4.0 * i, 4.0 * i + 2) for i in range(6)))
    assert build_timeline(bare).activations == (None,) * 6


def test_the_energy_of_a_meeting_takes_activation_in_as_its_third_part() -> None:
    line = build_timeline(spoken(-24, -22, -20, -18, -16))
    parts = energy_parts(line, line.full_window)
    assert parts["vocal_activation"] == pytest.approx(0.5, abs=1e-4)
    found = energy(line)
    assert found.score == round(100 * sum(parts.values()) / 3, 2)
    assert [c.weight for c in found.components] == pytest.approx([1 / 3] * 3)


@given(st.lists(st.floats(-60, -1), min_size=5, max_size=12), st.floats(-30, 30), st.floats(-5, 5))
def test_a_loud_voice_or_a_near_microphone_is_no_advantage(levels: list[float], louder: float, higher: float) -> None:
    before = build_timeline(spoken(*levels)).activations
    after = build_timeline(spoken(*(level + louder for level in levels), pitch=10 + higher)).activations
    assert all(0 <= (value or 0) <= 1 for value in before)
    # Levels that are equal but for rounding have no spread worth dividing by.
    if max(levels) - min(levels) > 0.01:
        assert after == pytest.approx(before, abs=2e-3)


def test_each_speaker_is_compared_with_themselves() -> None:
    quiet, loud = spoken(-44, -42, -40, -38, -36), spoken(-14, -12, -10, -8, -6, speaker=2)
    shifted = [
        replace(s, segment_id=s.segment_id + 10, start_us=s.start_us + 50 * S, end_us=s.end_us + 50 * S)
        for s in loud.segments
    ]
    both = replace(quiet, speakers=(1, 2), segments=(*quiet.segments, *shifted))
    line = build_timeline(both)
    assert line.activations[:5] == line.activations[5:]
    assert compute_activations(both, line.utterances) == line.activations
