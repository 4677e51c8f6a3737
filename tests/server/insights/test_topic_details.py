"""Metrics of a period: who speaks in it, of what, and how."""

from __future__ import annotations

from server.insights import build_timeline, period_details
from tests.server.insights.meetings_in_languages import german
from tests.server.insights.talks import two_topics


def test_details_of_a_period_name_who_speaks_in_it_alone() -> None:
    line = build_timeline(two_topics())
    first, *_ = period_details(line, 10)
    assert (first["speakers"], first["topic"]) == ([1, 2], "Annual budget")
    assert first["energy"]["talking_time"] + first["energy"]["silence_time"] == 1
    assert first["involvement_score"] == 100
    (whole,) = period_details(build_timeline(german()), 300)
    assert (whole["sentiment"], whole["emotions_score"], whole["energy"]["emotions"]) == (None, None, [])
