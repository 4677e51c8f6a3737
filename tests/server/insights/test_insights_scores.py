"""The scores: hand-computed cases, and properties that hold for any conversation."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.conversation import Conversation
from server.insights import compute_answers
from server.insights.balance import balance
from server.insights.emotions import emotions_score, meeting_emotions
from server.insights.energy import energy
from server.insights.interaction import interaction_map, interaction_score
from server.insights.sentiment import sentiment
from server.insights.shares import shares
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import has_ties, renamed, talks


@pytest.mark.parametrize("parts", [[], [(1, 0, 60)], [(1, 0, 4), (2, 4, 8)]])
def test_too_little_support_is_zero_and_says_why(parts: list[tuple[int, float, float]]) -> None:
    talk = build_timeline(conversation(*parts))
    for score in (balance(talk), interaction_score(talk)):
        assert score.score == 0
        assert not score.support.sufficient
        assert score.support.reason


@given(talks())
def test_scores_stay_in_range_and_weights_sum_to_one(talk: Conversation) -> None:
    line = build_timeline(talk)
    for score in (balance(line), interaction_score(line), energy(line)):
        assert 0 <= score.score <= 100
        assert sum(c.weight for c in score.components) == pytest.approx(1)
        assert all(0 <= c.value <= 1 for c in score.components)
    felt = sentiment(line).score
    assert felt is not None
    assert 0 <= felt <= 100
    assert 0 <= emotions_score(line, line.full_window) <= 100
    assert all(v is None or 0 <= v <= 1 for v in line.activations)


@given(talks(), st.permutations(range(1, 7)))
def test_scores_do_not_depend_on_what_speakers_are_called(talk: Conversation, names: list[int]) -> None:
    assume(not has_ties(talk))
    before, after = build_timeline(talk), build_timeline(renamed(talk, names))
    for score in (balance, interaction_score, energy):
        assert score(after).score == pytest.approx(score(before).score, abs=0.011)
    assert sentiment(after) == sentiment(before)
    assert meeting_emotions(after) == meeting_emotions(before)


@settings(max_examples=25)
@given(talks())
def test_every_answer_of_any_talk_can_be_stored(talk: Conversation) -> None:
    found = compute_answers(talk)
    assert len(found) == 21
    for answer in found.values():
        assert answer.definition_version
        assert json.loads(json.dumps(answer.document, allow_nan=False)) == answer.document


def test_a_hundred_speakers_silence_and_zero_length_turns_are_no_trouble() -> None:
    crowd = build_timeline(conversation(*((i, i * 2, i * 2 + 1.5) for i in range(1, 101)), duration_s=300))
    assert balance(crowd).score == pytest.approx(100)
    assert len(interaction_map(crowd).nodes) == 4950
    for talk in (
        conversation(),
        conversation(duration_s=0),
        conversation((1, 5, 5), (2, 5, 5)),
        conversation((1, 0, 60)),
    ):
        assert compute_answers(talk)["quality"].document["quality_score"] >= 0
    assert shares(build_timeline(conversation())).speakers == ()
