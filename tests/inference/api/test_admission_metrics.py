"""Open sessions, their limits, and what was refused for which of them, as Prometheus sees it."""

from __future__ import annotations

import pytest

from inference.api.admission import NoCapacity, SessionAdmission, SessionLimits
from tests.monitoring.counting import counting, samples


def test_sessions_are_counted_while_they_are_open() -> None:
    admission = SessionAdmission(SessionLimits(8))
    with (
        counting("meetra_engine_sessions") as after,
        counting("meetra_engine_sessions") as opened,
        admission.admit("a", live=True),
        admission.admit("", live=False),
    ):
        now = samples("meetra_engine_sessions{")
    assert (opened, after) == ({}, {})
    assert now["meetra_engine_sessions{kind=live}"] == now["meetra_engine_sessions{kind=upload}"] == 1
    limits = samples("meetra_engine_sessions_limit")
    assert {name.split("=")[1]: value for name, value in limits.items()} == {"all}": 8, "live}": 6, "upload}": 6}


def test_what_is_refused_is_counted_under_the_limit_that_was_reached() -> None:
    one_of_each = SessionAdmission(SessionLimits(2, 0.5))
    shared = SessionAdmission(SessionLimits(8))
    with counting("meetra_engine_sessions_refused") as counted:
        with one_of_each.admit("a", live=True):
            with pytest.raises(NoCapacity, match="for live meetings are in use; retry later"):
                one_of_each.admit("b", live=True).__enter__()
            with (
                one_of_each.admit("b", live=False),
                pytest.raises(NoCapacity, match="all 2 sessions are in use; retry later"),
            ):
                one_of_each.admit("c", live=False).__enter__()
        with (
            shared.admit("a", live=True),
            shared.admit("a", live=True),
            shared.admit("a", live=True),
            pytest.raises(NoCapacity, match="has its share of 3 sessions; retry later"),
        ):
            shared.admit("a", live=True).__enter__()
    limits = ("all", "kind", "organization")
    assert counted == {f"meetra_engine_sessions_refused_total{{limit={limit}}}": 1 for limit in limits}
