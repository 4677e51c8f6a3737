"""Periods: they cover the meeting, the last one is the remainder, and the whole is the longest."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.conversation import Conversation, EngineCapabilities
from server.insights.dynamics import dynamics
from server.insights.emotions import emotion_chunks
from server.insights.energy import energy_value
from server.insights.interaction import interaction_value
from server.insights.timeline import build_timeline
from server.insights.timeline.periods import max_period_s, periods
from server.insights.topic_details import period_details
from server.insights.topics import period_topics
from tests.server.insights.talks import talks


@given(st.integers(1, 4 * 3600 * 1000), st.integers(10, 14_400))
def test_periods_cover_the_meeting_without_gap_or_overlap(duration_ms: int, period_s: int) -> None:
    found = periods(duration_ms * 1000, period_s)
    assert found[0].start_us == 0
    assert found[-1].end_us == duration_ms * 1000
    assert all(a.end_us == b.start_us for a, b in pairwise(found))
    assert all(w.duration_us == period_s * 1_000_000 for w in found[:-1])
    assert 0 < found[-1].duration_us <= period_s * 1_000_000


def test_the_longest_period_is_the_meeting_and_the_default_is_always_allowed() -> None:
    assert max_period_s(600_001) == 601
    assert max_period_s(45_000) == 300


@settings(max_examples=30)
@given(talks(), st.integers(10, 700))
def test_every_period_is_described(talk: Conversation, period_s: int) -> None:
    line = build_timeline(talk)
    for entry, detail, topic in zip(
        dynamics(line, period_s), period_details(line, period_s), period_topics(line, period_s), strict=True
    ):
        assert (entry["start"], entry["end"]) == (detail["start"], detail["end"]) == (topic["start"], topic["end"])
        assert 0 <= entry["energy_score"] <= 100
        assert 0 <= entry["interactions_score"] <= 100
        assert entry["emotions"] == [name.capitalize() for name in detail["energy"]["emotions"]]
        energy = detail["energy"]
        assert energy["talking_time"] + energy["silence_time"] == pytest.approx(1)
        assert detail["emotions_score"] is not None
        assert 0 <= detail["emotions_score"] <= 100
        assert 0 <= detail["involvement_score"] <= 100
        assert topic["topic"]
        # Somebody speaks: some emotion is listed; silence lists none but what sentences reach into it.
        assert bool(energy["emotions"]) >= bool(detail["speakers"])


@given(talks())
def test_a_period_as_long_as_the_meeting_is_the_meeting(talk: Conversation) -> None:
    line = build_timeline(talk)
    (entry,) = dynamics(line, 700)
    assert entry["energy_score"] == round(energy_value(line, line.full_window))
    assert entry["interactions_score"] == round(interaction_value(line, line.full_window))


@pytest.mark.parametrize(
    ("seconds", "borders"),
    [
        (60, [(0, 60_000)]),
        (60.001, [(0, 60_000), (60_001, 60_001)]),
        (150, [(0, 60_000), (60_001, 120_000), (120_001, 150_000)]),
        (0.4, [(0, 400)]),
    ],
)
def test_emotion_chunks_have_the_documented_borders(seconds: float, borders: list[tuple[int, int]]) -> None:
    talk = Conversation(round(seconds * 1e6), (), (), EngineCapabilities())
    assert [(c["start_ms"], c["end_ms"]) for c in emotion_chunks(build_timeline(talk))] == borders
