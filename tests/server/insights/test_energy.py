"""The energy of a meeting."""

from __future__ import annotations

import pytest

from server.insights.energy import energy, energy_parts
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation


def test_energy_is_the_mean_of_what_is_known() -> None:
    talk = build_timeline(conversation((1, 0, 30), (2, 30, 60)))
    parts = energy_parts(talk, talk.full_window)
    assert set(parts) == {"talking_time", "interactions"}
    assert parts["talking_time"] == pytest.approx(0.5)
    assert energy(talk).score == pytest.approx(50 * sum(parts.values()), abs=0.01)
