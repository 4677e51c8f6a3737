"""The flow of the talk: silences, latencies, monologues, pace, interruptions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.conversation import Conversation
from server.insights.family import MeetingFacts
from server.insights.flow import Interruption, Interruptions, flow, interruptions, iterate_interruptions
from server.insights.questions import questions
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import ENGINE, S, conversation
from tests.server.insights.talks import has_ties, renamed, sentence, talks

HEARS_OVERLAP = replace(ENGINE, overlap=True)


def flow_of(talk: Conversation) -> dict[str, Any]:
    return {**flow(MeetingFacts(talk))}


def interrupted(*spoken: tuple[int, float, float]) -> dict[int, Interruptions]:
    return interruptions(build_timeline(conversation(*spoken)))


def test_silences_latencies_and_monologues_of_a_hand_computed_talk() -> None:
    # Turns: 1 from 5 to 20, 2 from 21 to 30, 1 from 30.5 to 40 with a back-channel of 2 in it.
    talk = conversation((1, 5, 20), (2, 21, 30), (1, 30.5, 35), (2, 35, 35.5), (1, 35.5, 40), duration_s=60)
    found = flow_of(talk)
    assert found["silence_ms"] == 26_500
    assert found["longest_silence_ms"] == 20_000
    assert found["turns_per_minute"] == 3
    assert (found["response_latency_ms"], found["response_latency_p10_ms"], found["response_latency_p90_ms"]) == (
        750,
        550,
        950,
    )
    first, second = found["speakers"]
    assert (first["turns"], first["longest_monologue_ms"], first["patience_ms"]) == (2, 15_000, 500)
    assert (second["turns"], second["longest_monologue_ms"], second["patience_ms"]) == (1, 9_000, 1_000)
    assert first["talk_listen_ratio"] == pytest.approx(24 / 9.5, abs=1e-3)
    assert first["words_per_minute"] is None


def test_an_answer_after_more_than_five_seconds_is_no_latency() -> None:
    found = flow_of(conversation((1, 0, 10), (2, 15.1, 20), duration_s=30))
    assert found["response_latency_ms"] is None
    assert found["speakers"][1]["patience_ms"] is None


def test_what_the_engine_cannot_hear_is_absent() -> None:
    found = flow_of(conversation((1, 0, 10), (2, 9, 20)))
    assert found["overlap_ratio"] is None
    assert [s["interruptions"] for s in found["speakers"]] == [None, None]
    found = flow_of(replace(conversation((1, 0, 10), (2, 9, 20)), engine=HEARS_OVERLAP))
    assert found["overlap_ratio"] == 0.05
    assert [s["interruptions"] for s in found["speakers"]] == [0, 1]


def test_cutting_somebody_off_succeeds_when_they_stop_within_a_second() -> None:
    assert interrupted((1, 0, 10), (2, 9.2, 20)) == {1: Interruptions(0, 0), 2: Interruptions(1, 0)}
    assert interrupted((1, 0, 10), (2, 8, 20)) == {1: Interruptions(0, 0), 2: Interruptions(0, 1)}


def test_each_interruption_says_who_interrupts_whom_and_when() -> None:
    line = build_timeline(conversation((1, 0, 10), (2, 9.2, 20), (3, 15, 30)))
    assert list(iterate_interruptions(line)) == [
        Interruption(2, 1, round(9.2 * S), successful=True),
        Interruption(3, 2, 15 * S, successful=False),
    ]


@pytest.mark.parametrize(
    "spoken",
    [
        [(1, 0, 10), (2, 9.6, 20)],  # under half a second early
        [(1, 0, 10), (2, 4, 4.8)],  # a back-channel
        [(1, 0, 5), (2, 5.1, 5.9), (1, 5.7, 20)],  # after somebody's back-channel
        [(1, 0, 10), (2, 0, 10)],  # both begin together
        [(1, 0, 10), (1, 9, 20)],  # the same speaker
        [(1, 0, 10), (2, 10, 20)],
    ],
)
def test_what_is_no_interruption(spoken: list[tuple[int, float, float]]) -> None:
    assert all(found == Interruptions(0, 0) for found in interrupted(*spoken).values())


def test_questions_are_counted_as_they_are_listed() -> None:
    talk = replace(
        conversation((1, 0, 9)),
        sentences=(sentence(1, 1, 2, "Who pays for it?", asks=True), sentence(1, 5, 6, "Right?", asks=True)),
    )
    assert flow_of(talk)["speakers"][0]["questions"] == len(questions(talk)) == 1


def test_balance_over_time_moves_in_half_minutes_over_two_and_a_half() -> None:
    talk = conversation((1, 0, 100), (2, 170, 270), duration_s=300)
    windows = flow_of(talk)["balance_over_time"]
    assert [(w["start"], w["end"]) for w in windows[:2]] == [(0, 150_000), (30_000, 180_000)]
    assert windows[0]["balance"] == 0
    assert windows[-1]["end"] == 300_000
    # From 60 to 210 s each speaks 40 s.
    assert windows[2]["balance"] == 100


@settings(max_examples=50)
@given(talks())
def test_flow_of_any_talk_stays_in_its_bounds(talk: Conversation) -> None:
    heard = replace(talk, engine=HEARS_OVERLAP)
    line, found = build_timeline(heard), flow_of(heard)
    duration_ms = talk.duration_us // 1000
    assert 0 <= found["longest_silence_ms"] <= found["silence_ms"] <= duration_ms
    assert 0 <= found["overlap_ratio"] <= 1
    assert sum(s["turns"] for s in found["speakers"]) == len(line.turns)
    assert all(0 <= s["longest_monologue_ms"] <= duration_ms for s in found["speakers"])
    assert all(s["patience_ms"] is None or s["patience_ms"] >= 0 for s in found["speakers"])
    if found["response_latency_ms"] is not None:
        assert (
            found["response_latency_p10_ms"] <= found["response_latency_ms"] <= found["response_latency_p90_ms"] <= 5000
        )
    assert all(0 <= w["balance"] <= 100 for w in found["balance_over_time"])


@settings(max_examples=50)
@given(talks(), st.permutations(range(1, 7)))
def test_flow_follows_the_speakers_whatever_they_are_called(talk: Conversation, names: list[int]) -> None:
    assume(not has_ties(talk))
    heard = replace(talk, engine=HEARS_OVERLAP)
    before, after = flow_of(heard), flow_of(renamed(heard, names))
    for part in before["speakers"]:
        part["speaker"] = names[part["speaker"] - 1]
    # Evenness is summed in the order of the speakers: the last digit may differ.
    for one, other in zip(before.pop("balance_over_time"), after.pop("balance_over_time"), strict=True):
        assert one["balance"] == pytest.approx(other["balance"], abs=0.011)
    assert after == before


@settings(max_examples=30)
@given(talks(most=12, longest_s=20))
def test_where_nobody_overlaps_nobody_interrupts(talk: Conversation) -> None:
    # The same segments one after another.
    moment, parts = 0, []
    for segment in talk.segments:
        length = segment.end_us - segment.start_us
        parts.append(replace(segment, start_us=moment, end_us=moment + length))
        moment += length
    line = build_timeline(replace(talk, segments=tuple(parts), duration_us=moment + S, engine=HEARS_OVERLAP))
    assert all(found == Interruptions(0, 0) for found in interruptions(line).values())
