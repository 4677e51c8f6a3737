"""What must not change the scores: the clock's unit, the direction of time, silence after the end, who is who."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.conversation import EMOTIONS, Conversation
from server.insights import compute_answers
from server.insights.balance import balance, evenness, gini
from server.insights.emotions import emotion_shares, emotions_score, meeting_emotions
from server.insights.energy import talking_share
from server.insights.family import MeetingFacts
from server.insights.interaction import exchange_counts, interaction_components, interaction_map
from server.insights.key_points import key_points, summaries
from server.insights.sentiment import mean_polarity, sentiment
from server.insights.shares import shares
from server.insights.timeline import Window, build_timeline
from server.insights.topics import MIN_TOPIC_S, topic_borders, topics
from tests.server.conversation.spoken import S, conversation
from tests.server.insights.talks import has_ties, moved, renamed, sentence, talks

QUARTER_S = 0.25


@st.composite
def quarters(draw: st.DrawFn) -> Conversation:
    """A talk on quarters of a second: a gap is 0 or long enough to count, however much time is stretched."""
    parts = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 400), st.integers(0, 80)), max_size=20))
    return conversation(*((s, a * QUARTER_S, (a + n) * QUARTER_S) for s, a, n in parts), duration_s=120)


def reversed_in_time(talk: Conversation) -> Conversation:
    """The same talk backwards."""
    end = talk.duration_us
    return replace(
        talk,
        segments=tuple(replace(s, start_us=end - s.end_us, end_us=end - s.start_us) for s in reversed(talk.segments)),
        sentences=tuple(replace(s, start_us=end - s.end_us, end_us=end - s.start_us) for s in reversed(talk.sentences)),
    )


@given(quarters(), st.integers(1, 50))
def test_shares_balance_and_talking_time_do_not_depend_on_the_clocks_unit(talk: Conversation, times: int) -> None:
    before, after = build_timeline(talk), build_timeline(moved(talk, times=times))
    assert [s.percentage for s in shares(after).speakers] == [s.percentage for s in shares(before).speakers]
    assert talking_share(after, after.full_window) == pytest.approx(talking_share(before, before.full_window))
    for one, other in zip(balance(before).components, balance(after).components, strict=True):
        assert other.value == pytest.approx(one.value)


@given(talks())
def test_shares_and_feelings_are_the_same_backwards(talk: Conversation) -> None:
    # A sentence of no length has a beginning only, and that not after the end.
    talk = replace(talk, sentences=tuple(s for s in talk.sentences if s.duration_us))
    before, after = build_timeline(talk), build_timeline(reversed_in_time(talk))
    for speaker in talk.speakers:
        assert after.speaking_us(speaker, after.full_window) == before.speaking_us(speaker, before.full_window)
    assert balance(after).score == pytest.approx(balance(before).score, abs=0.011)
    assert talking_share(after, after.full_window) == talking_share(before, before.full_window)
    assert mean_polarity(after, after.full_window) == pytest.approx(mean_polarity(before, before.full_window))
    assert emotion_shares(after, after.full_window) == pytest.approx(emotion_shares(before, before.full_window))


@given(talks(), st.integers(1, 10**9))
def test_silence_after_the_end_changes_rates_and_nothing_else(talk: Conversation, more_us: int) -> None:
    before, after = build_timeline(talk), build_timeline(replace(talk, duration_us=talk.duration_us + more_us))
    assert balance(after) == balance(before)
    assert exchange_counts(after, after.full_window) == exchange_counts(before, before.full_window)
    assert sentiment(after) == sentiment(before)
    assert meeting_emotions(after) == meeting_emotions(before)
    parts, later = (
        {c.name: c.value for c in interaction_components(line, line.full_window)} for line in (before, after)
    )
    assert later.pop("switch_rate") <= parts.pop("switch_rate")
    assert later == parts


@given(talks(), st.permutations(range(1, 7)))
def test_pairs_follow_their_speakers_whatever_they_are_called(talk: Conversation, names: list[int]) -> None:
    assume(not has_ties(talk))
    before, after = interaction_map(build_timeline(talk)), interaction_map(build_timeline(renamed(talk, names)))
    wanted = {frozenset(names[s - 1] for s in node.between): (node.value, node.exchanges) for node in before.nodes}
    assert {frozenset(node.between): (node.value, node.exchanges) for node in after.nodes} == wanted


@given(talks())
def test_periods_add_up_to_the_meeting(talk: Conversation) -> None:
    line = build_timeline(talk)
    windows = [Window(start * 100 * S, (start + 1) * 100 * S) for start in range(7)]
    assert sum(line.speech_us(w) for w in windows) == line.speech_us(line.full_window)
    assert sum(sum(exchange_counts(line, w).values()) for w in windows) == sum(
        exchange_counts(line, line.full_window).values()
    )


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20), st.floats(1e-3, 1e3))
def test_evenness_and_gini_know_no_unit_and_no_order(amounts: list[float], unit: float) -> None:
    assume(sum(amounts) > 1e-3)
    for measure in (evenness, gini):
        value = measure(amounts)
        assert 0 <= value <= 1
        assert measure([unit * a for a in amounts]) == pytest.approx(value, abs=1e-9)
        assert measure(amounts[::-1]) == pytest.approx(value, abs=1e-9)
    assert evenness([1.0] * len(amounts)) == pytest.approx(1)
    assert gini([1.0] * len(amounts)) == pytest.approx(0)


def test_under_ten_seconds_of_speech_nothing_is_said_of_feelings() -> None:
    happy = (0, 0, 0, 1, 0, 0)
    talk = replace(conversation((1, 0, 9)), sentences=(sentence(1, 0, 9, "Great.", polarity=0.9, emotions=happy),))
    found = sentiment(build_timeline(talk))
    assert (found.score, found.label, found.mean_polarity) == (50, "Neutral", 0.9)
    assert not found.support.sufficient
    assert meeting_emotions(build_timeline(talk)).percentages == {**dict.fromkeys(EMOTIONS, 0.0), "not_sure": 100.0}
    long = replace(talk, segments=(replace(talk.segments[0], end_us=10 * S),))
    assert sentiment(build_timeline(long)).score == 95
    happy_ones = meeting_emotions(build_timeline(long)).percentages
    assert happy_ones is not None
    assert happy_ones["happiness"] == 100


@pytest.mark.parametrize(("place", "score"), [(0, 0), (1, 0), (2, 0), (3, 100), (4, 50), (5, 50)])
def test_the_emotions_score_lies_between_all_bad_and_all_happy(place: int, score: int) -> None:
    only = tuple(float(i == place) for i in range(6))
    talk = replace(conversation((1, 0, 20)), sentences=(sentence(1, 0, 20, "So it is.", emotions=only),))
    line = build_timeline(talk)
    assert emotions_score(line, line.full_window) == score


@settings(max_examples=40)
@given(talks())
def test_text_answers_are_what_was_said_and_by_whom(talk: Conversation) -> None:
    said = {speaker: {s.text for s in talk.sentences if s.speaker == speaker} for speaker in talk.speakers}
    meeting = MeetingFacts(talk)
    assert [speaker for speaker, _ in key_points(meeting)] == list(talk.speakers)
    for speaker, points in key_points(meeting):
        assert set(points) <= said[speaker]
        assert len(points) <= 5
    assert set(summaries(meeting)["meeting"]) <= {s.text for s in talk.sentences}
    found = topics(meeting)
    assert [t["start"] for t in found] == [0, *(t["end"] for t in found[:-1])]
    assert found[-1]["end"] == talk.duration_us // 1000
    borders = topic_borders(talk.sentences, talk.duration_us)
    assert set(borders) <= {s.start_us for s in talk.sentences}
    assert all(b - a >= MIN_TOPIC_S * S for a, b in pairwise(borders))


def test_a_hundred_speakers_have_every_answer() -> None:
    crowd = conversation(*((i, i * 2, i * 2 + 1.5) for i in range(1, 101)), duration_s=300)
    said = tuple(sentence(i, i * 2, i * 2 + 1.5, f"We need plan number {i} for the garden.") for i in range(1, 101))
    found = compute_answers(replace(crowd, sentences=said))
    assert found["balance"].document["score"] == 100
    assert len(found["interactions"].document["nodes"]) == 4950
    assert len(found["key_points"].document["speakers"]) == 100
    assert len(found["quality"].document["flow"]["speakers"]) == 100
    shown = [s["percentage"] for s in found["shares"].document["speakers"]]
    assert sum(round(100 * p) for p in shown) == 10_000


def test_one_voice_alone_interacts_with_nobody() -> None:
    line = build_timeline(conversation((1, 0, 50), (1, 60, 100)))
    assert interaction_map(line).nodes == ()
    assert {c.name: c.value for c in interaction_components(line, line.full_window)}["turn_taking"] == 0
    assert shares(line).speakers[0].percentage == 100
    assert talking_share(line, line.full_window) == pytest.approx(0.75)


def test_zero_length_turns_are_no_speech() -> None:
    line = build_timeline(conversation((1, 5, 5), (2, 6, 6), (1, 7, 7)))
    assert line.speech_us(line.full_window) == 0
    assert balance(line).score == 0
    assert not balance(line).support.sufficient
    assert [s.percentage for s in shares(line).speakers] == [0, 0]
