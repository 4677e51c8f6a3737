"""Insights during a meeting, computed by the functions that score the finished one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from meetra.v1 import live_pb2 as pb

from server.analysis import MAX_CHARACTERS, SENTENCES_AT_ONCE
from server.conversation import (
    ENGLISH,
    UNKNOWN_SPEAKER,
    Conversation,
    Engine,
    Segment,
    Sentence,
    sentences_of,
)
from server.engine import InferenceClient, SessionBroke
from server.insights import (
    ReadSentence,
    Timeline,
    balance,
    energy,
    interaction_score,
    interruptions,
    sentiment,
    shares,
    timeline,
)


def insights_of(
    line: Timeline, overlap: bool, speaker_id: Callable[[int], str], alias: Callable[[int], str]
) -> pb.LiveInsights:
    """Build the insights event of a timeline.

    Args:
        overlap: whether simultaneous speech can be measured; without it interruptions are left unset.
        speaker_id: maps a speaker number to its UUID.
        alias: maps a speaker number to its display name.
    """
    parts = shares(line).speakers
    spoken = line.turns
    return pb.LiveInsights(
        through_ms=line.duration_us // 1000,
        balance_score=balance(line).score,
        interaction_score=interaction_score(line).score,
        energy_score=energy(line).score,
        sentiment_score=sentiment(line).score,
        speakers=[
            pb.LiveSpeaker(
                speaker_id=speaker_id(part.label),
                alias=alias(part.label),
                speaking_percentage=part.percentage,
                speaking_ms=part.speaking_ms,
            )
            for part in parts
        ],
        floor_speaker_id=speaker_id(spoken[-1].speaker) if spoken else "",
        interruptions=sum(one.successful for one in interruptions(line).values()) if overlap else None,
    )


class RollingTimeline:
    """Build timelines of an ongoing meeting; each distinct English sentence is sent to the text models once."""

    def __init__(self, inference: InferenceClient) -> None:
        self._inference = inference
        self._polarity: dict[str, float] = {}

    async def of(self, segments: Sequence[Segment], through_us: int, engine: Engine) -> Timeline:
        """Return the timeline of the segments so far.

        Args:
            through_us: end of the analysed audio, microseconds.
            engine: what the engine can measure.
        """
        speakers = tuple(dict.fromkeys(s.speaker for s in segments if s.speaker != UNKNOWN_SPEAKER))
        conversation = Conversation(through_us, speakers, tuple(segments), engine)
        spoken = await asyncio.to_thread(sentences_of, conversation)
        await self._read(spoken)
        return await asyncio.to_thread(self._timeline, conversation, spoken)

    async def _read(self, spoken: Sequence[Sentence]) -> None:
        english = dict.fromkeys(s.text for s in spoken if s.language == ENGLISH)
        fresh = [text for text in english if text not in self._polarity]
        try:
            for start in range(0, len(fresh), SENTENCES_AT_ONCE):
                batch = fresh[start : start + SENTENCES_AT_ONCE]
                analyses = await self._inference.analyse_sentences([text[:MAX_CHARACTERS] for text in batch])
                self._polarity.update(zip(batch, (round(a.polarity, 4) for a in analyses), strict=True))
        except SessionBroke:
            # Keep the polarity read so far; the rest is retried at the next call.
            return

    def _timeline(self, conversation: Conversation, spoken: Sequence[Sentence]) -> Timeline:
        # Sentences in languages that no model reads stay in the timeline, without a polarity.
        said = tuple(
            ReadSentence(
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
        return replace(timeline(conversation), sentences=said)
