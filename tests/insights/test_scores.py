"""The scores: hand-computed cases, and properties that hold for any conversation."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.conversation import EMOTIONS, Conversation
from server.insights import compute_answers
from server.insights.balance import balance, gini
from server.insights.emotions import emotion_chunks, emotions_score, listed_emotions, meeting_emotions
from server.insights.energy import energy, energy_parts
from server.insights.interaction import exchange_counts, interaction_map, interaction_score
from server.insights.sentiment import mean_polarity, sentiment, sentiment_label
from server.insights.shares import shares, to_percentages
from server.insights.timeline import Timeline, Window, build_timeline
from tests.conversation.test_conversation import S, conversation
from tests.insights.talks import has_ties, moved, renamed, sentence, talks


def test_equal_shares_are_balanced_and_unequal_ones_by_their_entropy() -> None:
    assert balance(build_timeline(conversation((1, 0, 10), (2, 10, 20)))).score == 100
    expected = -100 * (0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert balance(build_timeline(conversation((1, 0, 15), (2, 15, 20)))).score == round(expected, 2)


def test_gini_of_one_who_has_all() -> None:
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([5, 5]) == 0


def test_interaction_of_a_hand_computed_talk() -> None:
    # 5 utterances, 5 turns, 4 switches in 2 minutes; exchanges 1-2: 3, 2-3: 1, 1-3: 0.
    talk = build_timeline(conversation((1, 0, 10), (2, 11, 20), (1, 21, 30), (2, 31, 40), (3, 41, 50)))
    parts = {c.name: c.value for c in interaction_score(talk).components}
    assert parts["turn_taking"] == 1
    assert parts["switch_rate"] == pytest.approx(4 / 2 / 10)
    assert parts["participation"] == 1
    p = (3 / 4, 1 / 4)
    assert parts["evenness"] == pytest.approx(-sum(x * math.log(x) for x in p) / math.log(3))
    assert interaction_score(talk).score == round(25 * sum(parts.values()), 2)
    assert [(n.between, n.value) for n in interaction_map(talk).nodes] == [((1, 2), 100), ((1, 3), 0), ((2, 3), 33)]


def test_exchanges_count_changes_within_five_seconds_either_way() -> None:
    talk = build_timeline(conversation((1, 0, 2), (2, 3, 5), (1, 10, 12), (3, 17.1, 19)))
    assert exchange_counts(talk, talk.full_window) == {(1, 2): 2, (1, 3): 0, (2, 3): 0}


def test_energy_is_the_mean_of_what_is_known() -> None:
    talk = build_timeline(conversation((1, 0, 30), (2, 30, 60)))
    parts = energy_parts(talk, talk.full_window)
    assert set(parts) == {"talking_time", "interactions"}
    assert parts["talking_time"] == pytest.approx(0.5)
    assert energy(talk).score == pytest.approx(50 * sum(parts.values()), abs=0.01)


def test_sentiment_weighs_sentences_by_their_length() -> None:
    talk = replace(
        conversation((1, 0, 10), (2, 10, 20)),
        sentences=(
            sentence(1, 0, 9, "Good.", polarity=0.8),
            sentence(2, 10, 13, "Bad.", polarity=-0.4),
        ),
    )
    found = sentiment(build_timeline(talk))
    assert found.mean_polarity == pytest.approx((9 * 0.8 - 3 * 0.4) / 12)
    assert found.score == round(50 + 50 * 0.5)
    assert found.label == "Positive"


@pytest.mark.parametrize(
    ("polarity", "label"),
    [
        (-0.5, "Negative"),
        (-0.05, "Somewhat Negative"),
        (-0.049, "Neutral"),
        (0.049, "Neutral"),
        (0.05, "Somewhat Positive"),
        (0.5, "Positive"),
        (None, "Neutral"),
    ],
)
def test_sentiment_labels_begin_where_they_are_documented(polarity: float | None, label: str) -> None:
    assert sentiment_label(polarity) == label


def test_emotions_of_a_hand_computed_talk() -> None:
    happy, angry = (0, 0, 0, 1, 0, 0), (1, 0, 0, 0, 0, 0)
    talk = replace(
        conversation((1, 0, 70), (2, 70, 100)),
        sentences=(
            sentence(1, 0, 60, "Great.", emotions=happy),
            sentence(2, 70, 90, "No!", emotions=angry),
        ),
    )
    line = build_timeline(talk)
    assert meeting_emotions(line).percentages == {**dict.fromkeys(EMOTIONS, 0.0), "happiness": 75.0, "anger": 25.0}
    assert listed_emotions(line, line.full_window) == ["happiness", "anger"]
    assert emotions_score(line, line.full_window) == 75
    chunks = emotion_chunks(line)
    assert [(c["start_ms"], c["end_ms"]) for c in chunks] == [(0, 60000), (60001, 120000)]
    assert chunks[0]["emotions"] == [[1, "happiness"]]
    assert chunks[1]["emotions"] == [[1, "not_sure"], [2, "anger"]]


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


@given(talks())
def test_emotions_sum_to_exactly_100(talk: Conversation) -> None:
    shares_of = meeting_emotions(build_timeline(talk)).percentages
    assert shares_of is not None
    assert list(shares_of) == list(EMOTIONS)
    assert sum(round(10 * value) for value in shares_of.values()) == 1000


@given(talks(), st.permutations(range(1, 7)))
def test_scores_do_not_depend_on_what_speakers_are_called(talk: Conversation, names: list[int]) -> None:
    assume(not has_ties(talk))
    before, after = build_timeline(talk), build_timeline(renamed(talk, names))
    for score in (balance, interaction_score, energy):
        assert score(after).score == pytest.approx(score(before).score, abs=0.011)
    assert sentiment(after) == sentiment(before)
    assert meeting_emotions(after) == meeting_emotions(before)


@given(talks(), st.integers(0, 10**9))
def test_shares_do_not_depend_on_when_the_talk_begins(talk: Conversation, shift: int) -> None:
    before, after = build_timeline(talk), build_timeline(moved(talk, shift_us=shift))
    assert balance(after) == balance(before)
    assert shares(after) == shares(before)
    assert sentiment(after).mean_polarity == sentiment(before).mean_polarity
    assert exchange_counts(after, after.full_window) == exchange_counts(before, before.full_window)


@given(talks(), st.integers(2, 1000))
def test_sentiment_does_not_depend_on_how_fast_the_talk_is(talk: Conversation, times: int) -> None:
    # A sentence of no length counts as the shortest there is, which no slow motion stretches.
    talk = replace(talk, sentences=tuple(s for s in talk.sentences if s.duration_us))
    before, after = build_timeline(talk), build_timeline(moved(talk, times=times))
    assert mean_polarity(after, after.full_window) == pytest.approx(mean_polarity(before, before.full_window))


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=100))
def test_percentages_sum_to_exactly_100(amounts: list[int]) -> None:
    found = to_percentages(amounts, decimals=2)
    assert sum(round(p * 100) for p in found) == (10_000 if sum(amounts) else 0)
    assert all(abs(p - 100 * a / (sum(amounts) or 1)) <= 0.01 + 1e-9 for p, a in zip(found, amounts, strict=True))


@given(talks())
def test_the_map_holds_every_pair_once_and_both_ways_are_one(talk: Conversation) -> None:
    n = len(talk.speakers)
    nodes = interaction_map(build_timeline(talk)).nodes
    assert len({frozenset(node.between) for node in nodes}) == len(nodes) == n * (n - 1) // 2
    assert max((node.value for node in nodes), default=0) in (0, 100)


@given(talks())
def test_a_timeline_survives_its_document(talk: Conversation) -> None:
    line = build_timeline(talk)
    assert Timeline.from_document(json.loads(json.dumps(line.to_document()))) == line


@settings(max_examples=25)
@given(talks())
def test_every_answer_of_any_talk_can_be_stored(talk: Conversation) -> None:
    found = compute_answers(talk)
    assert len(found) == 20
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


def test_overlapping_speech_counts_for_each_and_once_for_the_talking_time() -> None:
    talk = build_timeline(conversation((1, 0, 20), (2, 10, 30)))
    assert [s.speaking_ms for s in shares(talk).speakers] == [20_000, 20_000]
    assert talk.speech_us(Window(0, 30 * S)) == 30 * S
