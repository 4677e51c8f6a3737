"""What a conversation is like so far, in a language that no text model reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from server.conversation import EngineCapabilities, Segment, Word
from server.engine.inference_client import InferenceClient
from server.live.insights import RollingInsights, RollingTimeline, build_insights
from server.live.published_state import PublishedState
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.test_rolling_alerts import feed
from tests.server.live.test_turns import MEETING

S = 1_000_000
ENGINE = EngineCapabilities(languages=("de", "en"))


def spoken(number: int, text: str, language: str) -> Segment:
    """20 s of one speaker."""
    start_us = number * 20 * S
    words = tuple(Word(word, start_us + i * S, (i + 1) * S + start_us, 0.9) for i, word in enumerate(text.split()))
    return Segment(number, 1 + number % 2, start_us, start_us + 19 * S, words, language=language)


async def test_sentiment_is_absent_where_nothing_is_said_in_english_and_nobody_is_asked() -> None:
    nowhere = InferenceClient("127.0.0.1:1")
    segments = [spoken(0, "Guten Morgen zusammen.", "de"), spoken(1, "Das ist wunderbar.", "de")]
    line = await RollingTimeline(nowhere).build(segments, 40 * S, ENGINE)
    assert [sentence.polarity for sentence in line.sentences] == [None, None]
    said = build_insights(line, False, str, str)
    assert not said.HasField("sentiment_score")
    assert len(said.speakers) == 2
    await nowhere.close()


async def test_english_that_could_not_be_read_yet_is_left_out() -> None:
    nowhere = InferenceClient("127.0.0.1:1")
    segments = [spoken(0, "Guten Morgen zusammen.", "de"), spoken(1, "This is wonderful.", "en")]
    line = await RollingTimeline(nowhere).build(segments, 40 * S, ENGINE)
    assert [sentence.language for sentence in line.sentences] == ["de"]
    await nowhere.close()


async def test_insights_do_not_wait_for_copies_nor_for_tracks_that_no_engine_takes_on() -> None:
    nowhere = InferenceClient("127.0.0.1:1")
    dependencies: Any = SimpleNamespace(database=None, analyzer=SimpleNamespace(inference=nowhere))
    config = of_kinds(PARTICIPANT, PARTICIPANT, PARTICIPANT)
    published, ignored = PublishedState(config, MEETING), set[int]()
    feeds, row = [feed(20, 20), feed(0, 0), feed(0, 0)], SimpleNamespace()
    insights = RollingInsights(dependencies, row, config, feeds, published, ignored)  # type: ignore[arg-type]
    published.turns.start_catch_up(1)
    published.turns.start_catch_up(2)
    assert await insights.update(None) == []
    ignored.add(1)
    assert await insights.update(None) == []
    feeds[2].is_unheard = True
    assert [event.insights.through_ms for event in await insights.update(None)] == [20_000]
    await nowhere.close()
