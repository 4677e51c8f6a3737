"""Insights during a meeting, computed by the functions that score the finished one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.analysis import MAX_SENTENCE_CHARACTERS, SENTENCE_BATCH_SIZE
from server.conversation import (
    ENGLISH,
    Conversation,
    EngineCapabilities,
    Segment,
    Sentence,
    speakers_by_first_speech,
    split_sentences,
)
from server.engine import InferenceClient, SessionBroke
from server.insights import (
    Timeline,
    TimelineSentence,
    balance,
    build_timeline,
    energy,
    interaction_score,
    interruptions,
    sentiment,
    shares,
)
from server.live.config import LiveConfig
from server.live.dependencies import LiveDependencies
from server.live.published_state import PublishedState
from server.live.track_feed import TrackFeed
from server.storage import DatabaseUnavailable, LiveRow, live


def build_insights(
    timeline: Timeline, overlap: bool, speaker_id: Callable[[int], str], alias: Callable[[int], str]
) -> pb.LiveInsights:
    """Build the insights event of a timeline.

    Args:
        overlap: whether simultaneous speech can be measured; without it interruptions are left unset.
        speaker_id: maps a speaker number to its UUID.
        alias: maps a speaker number to its display name.
    """
    speaker_shares = shares(timeline).speakers
    spoken = timeline.turns
    return pb.LiveInsights(
        through_ms=timeline.duration_us // 1000,
        balance_score=balance(timeline).score,
        interaction_score=interaction_score(timeline).score,
        energy_score=energy(timeline).score,
        sentiment_score=sentiment(timeline).score,
        speakers=[
            pb.LiveSpeaker(
                speaker_id=speaker_id(part.label),
                alias=alias(part.label),
                speaking_percentage=part.percentage,
                speaking_ms=part.speaking_ms,
            )
            for part in speaker_shares
        ],
        floor_speaker_id=speaker_id(spoken[-1].speaker) if spoken else "",
        interruptions=sum(counts.successful for counts in interruptions(timeline).values()) if overlap else None,
    )


class RollingTimeline:
    """Build timelines of an ongoing meeting; each distinct English sentence is sent to the text models once."""

    def __init__(self, inference: InferenceClient) -> None:
        self._inference = inference
        self._polarity: dict[str, float] = {}

    async def build(self, segments: Sequence[Segment], through_us: int, engine: EngineCapabilities) -> Timeline:
        """Return the timeline of the segments so far.

        Args:
            through_us: end of the analysed audio, microseconds.
            engine: what the engine can measure.
        """
        speakers = speakers_by_first_speech(segments)
        conversation = Conversation(through_us, speakers, tuple(segments), engine)
        spoken = await asyncio.to_thread(split_sentences, conversation)
        await self._analyse(spoken)
        return await asyncio.to_thread(self._timeline, conversation, spoken)

    async def _analyse(self, spoken: Sequence[Sentence]) -> None:
        english = dict.fromkeys(s.text for s in spoken if s.language == ENGLISH)
        new_texts = [text for text in english if text not in self._polarity]
        try:
            for start in range(0, len(new_texts), SENTENCE_BATCH_SIZE):
                batch = new_texts[start : start + SENTENCE_BATCH_SIZE]
                analyses = await self._inference.analyse_sentences([text[:MAX_SENTENCE_CHARACTERS] for text in batch])
                self._polarity.update(zip(batch, (round(a.polarity, 4) for a in analyses), strict=True))
        except SessionBroke:
            # Keep the polarity read so far; the rest is retried at the next call.
            return

    def _timeline(self, conversation: Conversation, spoken: Sequence[Sentence]) -> Timeline:
        # Sentences in languages that no model reads stay in the timeline, without a polarity.
        read_sentences = tuple(
            TimelineSentence(
                s.speaker,
                s.start_us,
                s.end_us,
                self._polarity[s.text] if s.language == ENGLISH else None,
                (),
                (),
                s.language,
            )
            for s in spoken
            if s.language != ENGLISH or s.text in self._polarity
        )
        return replace(build_timeline(conversation), sentences=read_sentences)


class RollingInsights:
    """The insights of one meeting every period, and the language spoken most."""

    def __init__(
        self,
        dependencies: LiveDependencies,
        row: LiveRow,
        config: LiveConfig,
        feeds: Sequence[TrackFeed],
        published: PublishedState,
        ignored: Collection[int],
    ) -> None:
        """``ignored``: the tracks that are excluded from everything, at any moment."""
        self._database, self._row, self._config, self._feeds = dependencies.database, row, config, feeds
        self._ignored = ignored
        self._turns, self._languages = published.turns, published.languages
        self.timelines = RollingTimeline(dependencies.analyzer.inference)
        """Timelines of the meeting, with the sentences that were analysed."""
        self._next_us = config.insights_period_s * 1_000_000
        self._language = ""

    async def update(self, engine: session_pb2.Capabilities | None) -> list[pb.LiveEvent]:
        """Return the insights if they are due, else nothing. Raises MeetingLost.

        Args:
            engine: its reported capabilities; None while no engine has been reached.
        """
        awaited = (
            index for index, feed in enumerate(self._feeds) if index not in self._ignored and not feed.is_unheard
        )
        through_us = max((feed.turns_through_us() for feed in self._feeds if feed.has_audio), default=0)
        if through_us < self._next_us or any(map(self._turns.is_catching_up, awaited)):
            return []
        began = time.monotonic()
        capabilities = engine or session_pb2.Capabilities()
        overlap = capabilities.overlap or len(self._feeds) - len(self._ignored) > 1
        segments = self._turns.segments()
        await self._store_language(segments)
        known = EngineCapabilities(overlap=overlap, languages=tuple(capabilities.languages))
        timeline = await self.timelines.build(segments, through_us, known)
        event = pb.LiveEvent(insights=build_insights(timeline, overlap, self._turns.speaker_id, self._turns.alias))
        # Space the computation out in long meetings: at most a twentieth of the time goes into it.
        pause_s = max(self._config.insights_period_s, 20 * (time.monotonic() - began))
        self._next_us = through_us + round(pause_s * 1e6)
        return [event]

    async def _store_language(self, segments: list[Segment]) -> None:
        """Store the language most spoken so far; status queries report it."""
        language, confidence = self._languages.most_spoken(segments)
        if language in ("", self._language):
            return
        store = partial(live.store_language, meeting_id=self._row.meeting_id, fence=self._row.fence)
        with suppress(DatabaseUnavailable):
            await self._database.run(
                partial(store, language=language, confidence=confidence), organization_id=self._row.organization_id
            )
            self._language = language
