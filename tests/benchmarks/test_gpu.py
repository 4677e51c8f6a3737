"""The parts of a run on a lent GPU: in their time, and one that fails is no end of the others."""

from __future__ import annotations

import time
from functools import partial

import pytest

from benchmarks.gpu import OVER_BY, Plan
from benchmarks.gpu_report import Report


def test_with_everything_a_part_that_fails_or_has_no_time_is_left_out_and_the_next_one_runs() -> None:
    report = Report(None)
    plan = Plan(report, time.monotonic() - 60 * 0.57, 1.0, everything=True)
    ran: list[str] = []

    def broken() -> None:
        raise RuntimeError("out of  memory")

    for part in OVER_BY:
        plan.attempt(part, broken if part == "latencies" else partial(ran.append, part))
    assert ran == ["streams", "profile", "models", "server"], "what matters most is tried in any case"
    assert report.found["left_out"] == [
        {"part": "agreement", "reason": "time is up"},
        {"part": "latencies", "reason": "RuntimeError: out of memory"},
    ]
    assert 0 < plan.left_s("models") < 60 * 0.4


def test_parts_are_over_in_their_order() -> None:
    shares = list(OVER_BY.values())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_without_everything_an_error_is_an_error_and_streams_have_their_minutes_from_the_first_step() -> None:
    plan = Plan(Report(None), time.monotonic() - 3600, 3.5, everything=False)
    assert plan.left_s("agreement") == float("inf")
    plan.start()
    assert 200 < plan.left_s("streams") <= 210
    with pytest.raises(ZeroDivisionError):
        plan.attempt("streams", lambda: 1 // 0)
