"""Emotions expressed by English words: over the meeting, a window, and per speaker and minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NotRequired, TypedDict

from server.conversation import EMOTIONS
from server.insights.family import Family, MeetingFacts
from server.insights.shares import to_percentages
from server.insights.timeline import (
    Support,
    SupportDocument,
    Timeline,
    Window,
    absence_reason,
    analysed_sentences_note,
    compute_support,
    left_out_languages_note,
)

DEFINITION_VERSION = "3"
# Minimum share of a class to be listed for a window.
LISTED_FROM = 0.15
CHUNK_MS = 60_000
NOT_SURE = EMOTIONS.index("not_sure")


def emotion_shares(timeline: Timeline, window: Window, speaker: int | None = None) -> tuple[float, ...] | None:
    """Return the duration-weighted mean probability of each of EMOTIONS, summing to 1; None without English sentences.

    Args:
        speaker: restricts the sentences to this speaker's.
    """
    total = 0
    sums = [0.0] * len(EMOTIONS)
    for sentence, weight in timeline.sentences_in(window):
        if sentence.emotions and (speaker is None or sentence.speaker == speaker):
            total += weight
            for index, probability in enumerate(sentence.emotions):
                sums[index] += weight * probability
    mass = sum(sums)
    return tuple(value / mass for value in sums) if total and mass else None


def listed_emotions(timeline: Timeline, window: Window) -> list[str]:
    """Return the classes with at least 15 % of the window, strongest first.

    With speech it lists at least the strongest class, or ``not_sure`` without sentences; empty in silence.
    """
    shares = emotion_shares(timeline, window)
    if shares is None:
        return ["not_sure"] if timeline.speech_us(window) else []
    ranked = sorted(range(len(EMOTIONS)), key=lambda i: (-shares[i], i))
    listed = [EMOTIONS[i] for i in ranked if shares[i] >= LISTED_FROM]
    return listed or [EMOTIONS[ranked[0]]]


def emotions_score(timeline: Timeline, window: Window) -> int:
    """Return ``emotions_score`` = 50 + 50 (P(happiness) - P(anger) - P(disgust) - P(fear)), rounded, 0..100; 50 if
    unknown.
    """
    shares = emotion_shares(timeline, window)
    if shares is None:
        return 50
    p = dict(zip(EMOTIONS, shares, strict=True))
    return round(50 + 50 * (p["happiness"] - p["anger"] - p["disgust"] - p["fear"]))


class EmotionsDocument(TypedDict):
    """A stored ``Emotions``."""

    percentages: dict[str, float] | None
    support: SupportDocument
    reason: NotRequired[str | None]


class EmotionChunk(TypedDict):
    """The strongest emotions of a minute."""

    start_ms: int
    end_ms: int
    emotions: list[list[Any]]
    """[speaker, emotion] of each active speaker."""


class EmotionChunksDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/speaker-emotions-over-time``."""

    chunks: list[EmotionChunk]
    reason: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Emotions:
    """The emotions of a meeting."""

    percentages: dict[str, float] | None
    support: Support
    reason: str | None = None
    """Why the percentages are None."""

    def to_document(self) -> EmotionsDocument:
        """Return JSON-compatible values."""
        return {"percentages": self.percentages, "support": self.support.to_document(), "reason": self.reason}


def meeting_emotions(timeline: Timeline) -> Emotions:
    """Return ``meeting_emotions``: the duration-weighted mean probabilities in percent, one decimal, summing to 100.

    Only English sentences are analysed; without any in a meeting with words the percentages are None. With no words, or
    under 10 s of speech, ``not_sure`` has 100.
    """
    support = compute_support(timeline, DEFINITION_VERSION, 1)
    reason = absence_reason(timeline, timeline.full_window, "Emotions are")
    if reason is not None:
        return Emotions(None, replace(support, sufficient=False, reason=reason), reason)
    support = replace(support, note=analysed_sentences_note(timeline, "Emotions are"))
    shares = emotion_shares(timeline, timeline.full_window) if support.sufficient else None
    rounded = to_percentages(shares or [float(i == NOT_SURE) for i in range(len(EMOTIONS))], decimals=1)
    return Emotions(dict(zip(EMOTIONS, rounded, strict=True)), support)


def emotion_chunks(timeline: Timeline) -> list[EmotionChunk]:
    """Return the strongest emotion of each active speaker, per minute.

    Documented borders: 0..60000, 60001..120000, and so on; the last chunk may be shorter. A speaker whose sentences in
    a minute are all in other languages is omitted from it.
    """
    duration_ms = timeline.duration_us // 1000
    chunks: list[EmotionChunk] = []
    for start_ms in range(0, max(1, duration_ms), CHUNK_MS):
        end_ms = min(start_ms + CHUNK_MS, duration_ms)
        window = Window(start_ms * 1000, end_ms * 1000)
        strongest: list[list[Any]] = []
        for speaker in timeline.speakers:
            if timeline.speaking_us(speaker, window):
                shares = emotion_shares(timeline, window, speaker)
                if shares is None and _has_unanalysed(timeline, window, speaker):
                    continue
                top = NOT_SURE if shares is None else max(range(len(EMOTIONS)), key=lambda i: (shares[i], -i))
                strongest.append([speaker, EMOTIONS[top]])
        chunks.append({"start_ms": start_ms + (start_ms > 0), "end_ms": end_ms, "emotions": strongest})
    return chunks


def _has_unanalysed(timeline: Timeline, window: Window, speaker: int) -> bool:
    if not timeline.analysed_sentences and timeline.sentences:
        return True
    return any(s.speaker == speaker and s.polarity is None for s, _ in timeline.sentences_in(window))


def chunks_reason(timeline: Timeline) -> str | None:
    """Return why speakers are omitted for their language; None if none is."""
    return absence_reason(timeline, timeline.full_window, "Emotions are") or left_out_languages_note(
        timeline, "Emotions are"
    )


def _chunks_document(meeting: MeetingFacts) -> EmotionChunksDocument:
    return {"chunks": emotion_chunks(meeting.timeline), "reason": chunks_reason(meeting.timeline)}


MEETING_EMOTIONS = Family(
    "emotions", DEFINITION_VERSION, lambda meeting: meeting_emotions(meeting.timeline).to_document(), quotes=False
)
EMOTION_CHUNKS = Family("emotion_chunks", DEFINITION_VERSION, _chunks_document, quotes=False)
