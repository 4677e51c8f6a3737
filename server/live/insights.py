"""Insights during a meeting, computed by the functions that score the finished one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from meetra.v1 import live_pb2 as pb

from server.analysis import MAX_SENTENCE_CHARACTERS, SENTENCE_BATCH_SIZE
from server.conversation import (
    ENGLISH,
    UNKNOWN_SPEAKER,
    Conversation,
    EngineCapabilities,
    Segment,
    Sentence,
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
        speakers = tuple(dict.fromkeys(s.speaker for s in segments if s.speaker != UNKNOWN_SPEAKER))
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
