"""Emotions of what was said."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from server.conversation import EMOTIONS, Conversation
from server.insights.emotions import emotion_chunks, emotions_score, listed_emotions, meeting_emotions
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence, talks


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


@given(talks())
def test_emotions_sum_to_exactly_100(talk: Conversation) -> None:
    shares_of = meeting_emotions(build_timeline(talk)).percentages
    assert shares_of is not None
    assert list(shares_of) == list(EMOTIONS)
    assert sum(round(10 * value) for value in shares_of.values()) == 1000
