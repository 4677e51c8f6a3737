"""The quality score: the plain mean of four scores, and what drives it."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given

from server.conversation import Conversation
from server.insights import compute_answers
from server.insights.balance import balance
from server.insights.energy import energy
from server.insights.family import MeetingFacts
from server.insights.interaction import interaction_score
from server.insights.quality import quality
from server.insights.sentiment import sentiment
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import talks


def test_the_score_is_the_mean_of_the_four() -> None:
    meeting = MeetingFacts(conversation((1, 0, 30), (2, 31, 60), (1, 61, 90)))
    line, found = meeting.timeline, quality(meeting)
    felt = sentiment(line).score
    assert felt is not None
    four = [balance(line).score, interaction_score(line).score, energy(line).score, felt]
    assert found["quality_score"] == round(fmean(four), 2)
    assert [d["score"] for d in found["drivers"][:4]] == four


def test_drivers_name_every_counted_part_and_say_which_way_it_pulls() -> None:
    found = quality(MeetingFacts(conversation((1, 0, 30), (2, 31, 60), (1, 61, 90))))
    effects = {d["name"]: d["effect"] for d in found["drivers"]}
    assert list(effects) == [
        "balance",
        "interaction",
        "energy",
        "sentiment",
        "balance.evenness",
        "interaction.turn_taking",
        "interaction.switch_rate",
        "interaction.participation",
        "interaction.evenness",
        "energy.talking_time",
        "energy.interactions",
    ]
    assert effects["balance.evenness"] == "raises"
    assert effects["interaction.switch_rate"] == "lowers"
    assert effects["sentiment"] == "neutral"


@pytest.mark.parametrize("parts", [[], [(1, 0, 60)], [(1, 0, 4), (2, 4, 8)]])
def test_too_little_talk_has_no_quality(parts: list[tuple[int, float, float]]) -> None:
    found = quality(MeetingFacts(conversation(*parts)))
    assert found["quality_score"] == 0
    assert not found["support"]["sufficient"]
    assert found["support"]["reason"]


@given(talks())
def test_the_report_repeats_the_answers_it_gathers(talk: Conversation) -> None:
    found = compute_answers(talk)
    report = found["quality"].document
    assert 0 <= report["quality_score"] <= 100
    assert all(0 <= d["score"] <= 100 and d["effect"] in ("raises", "neutral", "lowers") for d in report["drivers"])
    for name in ("shares", "interactions", "energy", "sentiment", "emotions", "dynamics", "topics"):
        assert report[name] == found[name].document
    assert len(report["topic_details"]) == len(report["topics"]["topics"])
