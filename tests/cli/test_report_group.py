"""The group's part of the report; whole reports are in ``test_report``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from meetra.v1 import insights_pb2 as pb
from rich.console import Console

from cli.answers import MeetingAnswers
from cli.report_group import MAX_PAIRS, MAX_PERIODS, clock, flow, over_time, pairs, quality, shares


def answers(**known: Any) -> MeetingAnswers:
    return cast(MeetingAnswers, SimpleNamespace(**known))


def printed(section: object) -> list[str]:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(section)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "00:00:00"), (59_999, "00:00:59"), (3_661_000, "01:01:01"), (360_000_000, "100:00:00")],
)
def test_a_clock_never_wraps(milliseconds: int, text: str) -> None:
    assert clock(milliseconds) == text


def test_shares_are_bars_of_one_length() -> None:
    listed = [
        pb.SpeakerShare(id="a", meeting_speaking_percentage=75.0, speaking_ms=90_000),
        pb.SpeakerShare(id="b", meeting_speaking_percentage=25.0, speaking_ms=30_400),
    ]
    found = printed(shares(answers(shares=pb.GetSpeakersBalanceResponse(speakers=listed)), {"a": "Ada", "b": "Bo"}))
    assert found == [
        "Speaking time",
        f"Ada  {'█' * 18}{'·' * 6}  75.0 %  90 s",
        f"Bo   {'█' * 6}{'·' * 18}  25.0 %  30 s",
    ]
    assert shares(answers(), {}) is None


def test_the_strongest_pairs_come_first_and_the_rest_are_counted() -> None:
    nodes = [pb.InteractionNode(between=["a", "b"], exchanges=n, value=n) for n in range(MAX_PAIRS + 2)]
    found = printed(pairs(answers(pairs=pb.GetInteractionsResponse(nodes=nodes)), {"a": "Ada", "b": "Bo"}))
    assert found[1] == f"  Ada and Bo: {MAX_PAIRS + 1} ({MAX_PAIRS + 1} exchanges)"
    assert (len(found), found[-1]) == (MAX_PAIRS + 2, "  ... and 2 more pairs")
    assert pairs(answers(pairs=pb.GetInteractionsResponse()), {}) is None


def test_what_an_engine_does_not_measure_is_not_said_of_the_flow() -> None:
    plain = pb.ConversationFlow(turns_per_minute=4.25, longest_silence_ms=1_500)
    (line,) = printed(flow(answers(quality=pb.GetMeetingQualityResponse(flow=plain))))
    assert line == "Flow: 4.2 turns per minute, longest silence 1.5 s"
    plain.response_latency_ms, plain.overlap_ratio = 300, 0.125
    (line,) = printed(flow(answers(quality=pb.GetMeetingQualityResponse(flow=plain))))
    assert line.endswith("response latency 0.3 s (median), overlapping speech in 12 % of the talking time")


def test_one_period_is_no_change_over_time_and_many_are_cut() -> None:
    def of(count: int) -> MeetingAnswers:
        periods = [pb.PeriodDynamics(start=n * 300_000, energy_score=n, sentiment="Neutral") for n in range(count)]
        return answers(dynamics=pb.GetMeetingDynamicsResponse(dynamics=periods))

    assert over_time(of(1)) is None
    found = printed(over_time(of(MAX_PERIODS + 1)))
    assert found[2].startswith("00:05:00  energy 1")
    assert found[-1] == "... and 1 more periods"


def test_a_quality_without_support_says_why_and_of_nobody_nothing() -> None:
    told = pb.GetMeetingQualityResponse(
        support=pb.ScoreSupport(sufficient=False, reason="2 speakers are needed, 1 heard")
    )
    someone = SimpleNamespace(speakers=["somebody"])
    assert printed(quality(answers(quality=told, speakers=someone))) == [
        "Meeting quality: not available; 2 speakers are needed, 1 heard."
    ]
    assert quality(answers(quality=told, speakers=SimpleNamespace(speakers=[]))) is None


def test_drivers_are_listed_by_their_effect_and_components_only_where_they_lower() -> None:
    drivers = [
        pb.QualityDriver(name="balance", score=90, effect="raises"),
        pb.QualityDriver(name="balance.evenness", score=90, effect="raises"),
        pb.QualityDriver(name="energy", score=20, effect="lowers"),
        pb.QualityDriver(name="energy.vocal_activation", score=10, effect="lowers"),
    ]
    told = pb.GetMeetingQualityResponse(quality_score=55, drivers=drivers, support=pb.ScoreSupport(sufficient=True))
    assert printed(quality(answers(quality=told))) == [
        "Meeting quality 55.0 of 100; raised by balance 90; lowered by energy 20, energy: vocal activation 10"
    ]
