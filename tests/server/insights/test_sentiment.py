"""Sentiment of what was said: its weights, and where its labels begin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Conversation
from server.insights.sentiment import mean_polarity, sentiment, sentiment_label
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import moved, sentence, talks


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


@given(talks(), st.integers(2, 1000))
def test_sentiment_does_not_depend_on_how_fast_the_talk_is(talk: Conversation, times: int) -> None:
    # A sentence of no length counts as the shortest there is, which no slow motion stretches.
    talk = replace(talk, sentences=tuple(s for s in talk.sentences if s.duration_us))
    before, after = build_timeline(talk), build_timeline(moved(talk, times=times))
    assert mean_polarity(after, after.full_window) == pytest.approx(mean_polarity(before, before.full_window))
