"""Conversation flow: silences, monologues, latencies, pace, interruptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import TypedDict

from server.conversation import (
    BACK_CHANNEL_US,
    Conversation,
    Interval,
    Utterance,
    merge_intervals,
    uses_spaces,
)
from server.insights.balance import window_evenness
from server.insights.family import MeetingFacts
from server.insights.questions import QUESTIONS
from server.insights.timeline import TimeIndex, Timeline, Window

DEFINITION_VERSION = "3"
# As ConvoKit's TalkTimeSharing: windows of 2.5 minutes every 30 seconds.
BALANCE_WINDOW_US, BALANCE_HOP_US = 150_000_000, 30_000_000
MAX_LATENCY_US = 5_000_000
# An interruption (Schegloff, 2000): the next speaker starts at least 0.5 s before the current one ends, and both speak
# for at least 0.3 s. It succeeds if the current speaker stops within 1 s.
EARLY_US, OVERLAP_US, STOPS_WITHIN_US = 500_000, 300_000, 1_000_000


class Latencies(TypedDict):
    """Response latencies, milliseconds."""

    response_latency_ms: int | None
    response_latency_p10_ms: int | None
    response_latency_p90_ms: int | None


class BalanceWindow(TypedDict):
    """The balance of a window."""

    start: int
    """Milliseconds, like ``end``."""
    end: int
    balance: float


class SpeakerTalk(TypedDict):
    """A speaker's talk statistics."""

    speaker: int
    turns: int
    longest_monologue_ms: int
    words_per_minute: float | None
    talk_listen_ratio: float | None
    patience_ms: int | None


class SpeakerFlow(SpeakerTalk):
    """A speaker's flow statistics."""

    questions: int | None
    interruptions: int | None
    failed_interruptions: int | None


class FlowDocument(Latencies):
    """The flow of a meeting, as part of the quality report."""

    silence_ms: int
    longest_silence_ms: int
    overlap_ratio: float | None
    turns_per_minute: float
    balance_over_time: list[BalanceWindow]
    speakers: list[SpeakerFlow]


def flow(meeting: MeetingFacts) -> FlowDocument:
    """Return the flow of a meeting; times in milliseconds. Values that the engine cannot measure are None."""
    conversation, timeline = meeting.conversation, meeting.timeline
    overlap = conversation.engine.overlap
    return {
        "silence_ms": (timeline.duration_us - timeline.speech_us(timeline.full_window)) // 1000,
        "longest_silence_ms": _longest_silence_us(timeline) // 1000,
        "overlap_ratio": round(_overlap_ratio(timeline), 4) if overlap else None,
        "turns_per_minute": round(len(timeline.turns) / (timeline.duration_us / 60e6), 2)
        if timeline.duration_us
        else 0.0,
        **_latencies(timeline),
        "balance_over_time": _balance_over_time(timeline),
        "speakers": _speakers(meeting),
    }


def _speech(timeline: Timeline) -> tuple[Interval, ...]:
    return merge_intervals(interval for spans in timeline.speech.values() for interval in spans)


def _longest_silence_us(timeline: Timeline) -> int:
    edges = [0]
    for start, end in _speech(timeline):
        edges += [start, end]
    edges.append(timeline.duration_us)
    return max((b - a for a, b in zip(edges[::2], edges[1::2], strict=True)), default=0)


def _overlap_ratio(timeline: Timeline) -> float:
    """Return the time with at least two speakers over the time with at least one, 0..1."""
    union = timeline.speech_us(timeline.full_window)
    borders = sorted(
        (moment, step)
        for spans in timeline.speech.values()
        for start, end in spans
        for moment, step in ((start, 1), (end, -1))
    )
    together, speaking, since = 0, 0, 0
    for moment, step in borders:
        together += moment - since if speaking >= 2 else 0
        speaking, since = speaking + step, moment
    return together / union if union else 0.0


def _latencies(timeline: Timeline) -> Latencies:
    """Return response latencies: the gaps between turns of at most 5 s (Levinson and Torreira, 2015)."""
    gaps = [
        (after.start_us - before.end_us) / 1000
        for before, after in pairwise(timeline.turns)
        if after.start_us - before.end_us <= MAX_LATENCY_US
    ]
    if not gaps:
        return {"response_latency_ms": None, "response_latency_p10_ms": None, "response_latency_p90_ms": None}
    tenths = quantiles(gaps, n=10, method="inclusive") if len(gaps) > 1 else gaps * 9
    return {
        "response_latency_ms": round(median(gaps)),
        "response_latency_p10_ms": round(tenths[0]),
        "response_latency_p90_ms": round(tenths[8]),
    }


def _balance_over_time(timeline: Timeline) -> list[BalanceWindow]:
    last = max(0, timeline.duration_us - BALANCE_WINDOW_US)
    starts = range(0, last + 1, BALANCE_HOP_US)
    windows = [Window(start, min(start + BALANCE_WINDOW_US, timeline.duration_us)) for start in starts]
    return [
        {"start": w.start_us // 1000, "end": w.end_us // 1000, "balance": round(100 * window_evenness(timeline, w), 2)}
        for w in windows
    ]


def _speakers(meeting: MeetingFacts) -> list[SpeakerFlow]:
    conversation, timeline = meeting.conversation, meeting.timeline
    questions = meeting.document(QUESTIONS)
    asked = Counter(question["speaker"] for question in questions["questions"])
    questions_detected = questions["method"] != "none"
    counts = interruptions(timeline) if conversation.engine.overlap else {}
    return [
        {
            **_speaker(conversation, timeline, speaker),
            "questions": asked[speaker] if questions_detected else None,
            "interruptions": counts[speaker].successful if counts else None,
            "failed_interruptions": counts[speaker].failed if counts else None,
        }
        for speaker in timeline.speakers
    ]


def _speaker(conversation: Conversation, timeline: Timeline, speaker: int) -> SpeakerTalk:
    talk_us = timeline.speaking_us(speaker, timeline.full_window)
    others_us = sum(
        timeline.speaking_us(other, timeline.full_window) for other in timeline.speakers if other != speaker
    )
    # In languages without spaces the recogniser returns characters or subwords instead of words.
    spoken = [s for s in conversation.segments if s.speaker == speaker and s.words]
    words = sum(len(s.words) for s in spoken) if all(uses_spaces(s.language) for s in spoken) else 0
    own = [turn for turn in timeline.turns if turn.speaker == speaker]
    return {
        "speaker": speaker,
        "turns": len(own),
        "longest_monologue_ms": max((t.end_us - t.start_us for t in own), default=0) // 1000,
        "words_per_minute": round(words / (talk_us / 60e6), 1) if words and talk_us else None,
        "talk_listen_ratio": round(talk_us / others_us, 3) if others_us else None,
        "patience_ms": _patience_ms(timeline, speaker),
    }


def _patience_ms(timeline: Timeline, speaker: int) -> int | None:
    """Return the median wait after another speaker's turn before taking the floor, milliseconds."""
    waits = [
        max(0, after.start_us - before.end_us) / 1000
        for before, after in pairwise(timeline.turns)
        if after.speaker == speaker and after.start_us - before.end_us <= MAX_LATENCY_US
    ]
    return round(median(waits)) if waits else None


@dataclass(slots=True)
class Interruptions:
    """Counts of a speaker's interruptions of others."""

    successful: int = 0
    """The interrupted speaker stopped within 1 s."""
    failed: int = 0
    """The interrupted speaker went on."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """An interruption of one speaker by another."""

    interrupter: int
    interrupted: int
    start_us: int
    """Start of ``interrupter``'s utterance, microseconds."""
    successful: bool
    """Whether ``interrupted`` stops within 1 s."""


def interruptions(timeline: Timeline) -> dict[int, Interruptions]:
    """Count the interruptions by each speaker."""
    found = {speaker: Interruptions() for speaker in timeline.speakers}
    for interruption in iterate_interruptions(timeline):
        if interruption.successful:
            found[interruption.interrupter].successful += 1
        else:
            found[interruption.interrupter].failed += 1
    return found


def iterate_interruptions(timeline: Timeline) -> Iterator[Interruption]:
    """Yield all interruptions, in time order.

    Back-channels neither interrupt nor are interrupted, and of two speakers who start together neither interrupts.
    """
    spoken: TimeIndex[Utterance] = TimeIndex(u for u in timeline.utterances if u.duration_us >= BACK_CHANNEL_US)
    for later in spoken.items:
        for earlier in spoken.overlapping(Window(later.start_us, later.start_us + 1)):
            if (found := interruption_between(earlier, later)) is not None:
                yield found


def interruption_between(earlier: Utterance, later: Utterance) -> Interruption | None:
    """Return the interruption of one utterance by another; None if it is none."""
    if earlier.speaker == later.speaker or min(earlier.duration_us, later.duration_us) < BACK_CHANNEL_US:
        return None
    early_us = earlier.end_us - later.start_us
    shared_us = min(earlier.end_us, later.end_us) - later.start_us
    if earlier.start_us >= later.start_us or early_us < EARLY_US or shared_us < OVERLAP_US:
        return None
    return Interruption(later.speaker, earlier.speaker, later.start_us, early_us <= STOPS_WITHIN_US)
