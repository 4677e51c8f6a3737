"""Scores by period: each is that of the period alone, and says why it lacks what it lacks."""

from __future__ import annotations

from server.insights import build_timeline, dynamics
from server.insights.energy import energy_value
from server.insights.interaction import interaction_value
from server.insights.timeline import Window
from tests.server.insights.meetings_in_languages import german
from tests.server.insights.talks import two_topics


def test_each_period_has_the_scores_of_its_window() -> None:
    line = build_timeline(two_topics())
    found = dynamics(line, 250)
    assert [(period["start"], period["end"]) for period in found] == [
        (0, 250_000),
        (250_000, 500_000),
        (500_000, 600_000),
    ]
    for period in found:
        window = Window(period["start"] * 1000, period["end"] * 1000)
        assert period["energy_score"] == round(energy_value(line, window))
        assert period["interactions_score"] == round(interaction_value(line, window))
        assert period["reason"] is None


def test_where_no_sentence_is_read_feelings_are_absent_with_the_reason() -> None:
    (period,) = dynamics(build_timeline(german()), 300)
    assert (period["sentiment"], period["emotions"]) == (None, [])
    assert period["reason"] == "Sentiment and emotions are measured in English only; this meeting is in German (de)."
