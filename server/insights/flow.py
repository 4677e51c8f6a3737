"""Conversation flow: silences, monologues, latencies, pace, interruptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import TypedDict

from server.conversation import Conversation, Interval, Utterance, merge_intervals, spaced
from server.insights.balance import window_evenness
from server.insights.family import MeetingFacts
from server.insights.questions import QUESTIONS
from server.insights.timeline import InOrder, Timeline, Window

# As ConvoKit's TalkTimeSharing: windows of 2.5 minutes every 30 seconds.
BALANCE_WINDOW_US, BALANCE_HOP_US = 150_000_000, 30_000_000
MAX_LATENCY_US = 5_000_000
# An interruption (Schegloff, 2000): the next speaker starts at least 0.5 s before the current one ends, and both speak
# for at least 0.3 s. It succeeds if the current speaker stops within 1 s.
EARLY_US, OVERLAP_US, STOPS_WITHIN_US = 500_000, 300_000, 1_000_000
BACK_CHANNEL_US = 1_000_000


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
    conversation, line = meeting.conversation, meeting.timeline
    overlap = conversation.engine.overlap
    return {
        "silence_ms": (line.duration_us - line.speech_us(line.whole)) // 1000,
        "longest_silence_ms": _longest_silence_us(line) // 1000,
        "overlap_ratio": round(_overlap_ratio(line), 4) if overlap else None,
        "turns_per_minute": round(len(line.turns) / (line.duration_us / 60e6), 2) if line.duration_us else 0.0,
        **_latencies(line),
        "balance_over_time": _balance_over_time(line),
        "speakers": _speakers(meeting),
    }


def _anyone(line: Timeline) -> tuple[Interval, ...]:
    return merge_intervals(interval for spans in line.speech.values() for interval in spans)


def _longest_silence_us(line: Timeline) -> int:
    edges = [0]
    for start, end in _anyone(line):
        edges += [start, end]
    edges.append(line.duration_us)
    return max((b - a for a, b in zip(edges[::2], edges[1::2], strict=True)), default=0)


def _overlap_ratio(line: Timeline) -> float:
    """Return the time with at least two speakers over the time with at least one, 0..1."""
    union = line.speech_us(line.whole)
    borders = sorted(
        (moment, step)
        for spans in line.speech.values()
        for start, end in spans
        for moment, step in ((start, 1), (end, -1))
    )
    together, speaking, since = 0, 0, 0
    for moment, step in borders:
        together += moment - since if speaking >= 2 else 0
        speaking, since = speaking + step, moment
    return together / union if union else 0.0


def _latencies(line: Timeline) -> Latencies:
    """Return response latencies: the gaps between turns of at most 5 s (Levinson and Torreira, 2015)."""
    gaps = [
        (after.start_us - before.end_us) / 1000
        for before, after in pairwise(line.turns)
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


def _balance_over_time(line: Timeline) -> list[BalanceWindow]:
    last = max(0, line.duration_us - BALANCE_WINDOW_US)
    starts = range(0, last + 1, BALANCE_HOP_US)
    windows = [Window(start, min(start + BALANCE_WINDOW_US, line.duration_us)) for start in starts]
    return [
        {"start": w.start_us // 1000, "end": w.end_us // 1000, "balance": round(100 * window_evenness(line, w), 2)}
        for w in windows
    ]


def _speakers(meeting: MeetingFacts) -> list[SpeakerFlow]:
    conversation, line = meeting.conversation, meeting.timeline
    questions = meeting.document(QUESTIONS)
    asked = Counter(question["speaker"] for question in questions["questions"])
    told = questions["method"] != "none"
    interrupted = interruptions(line) if conversation.engine.overlap else {}
    return [
        {
            **_speaker(conversation, line, speaker),
            "questions": asked[speaker] if told else None,
            "interruptions": interrupted[speaker].successful if interrupted else None,
            "failed_interruptions": interrupted[speaker].failed if interrupted else None,
        }
        for speaker in line.speakers
    ]


def _speaker(conversation: Conversation, line: Timeline, speaker: int) -> SpeakerTalk:
    talk_us = line.speaking_us(speaker, line.whole)
    others_us = sum(line.speaking_us(other, line.whole) for other in line.speakers if other != speaker)
    # In languages without spaces the recogniser returns characters or subwords instead of words.
    spoken = [s for s in conversation.segments if s.speaker == speaker and s.words]
    words = sum(len(s.words) for s in spoken) if all(spaced(s.language) for s in spoken) else 0
    own = [turn for turn in line.turns if turn.speaker == speaker]
    return {
        "speaker": speaker,
        "turns": len(own),
        "longest_monologue_ms": max((t.end_us - t.start_us for t in own), default=0) // 1000,
        "words_per_minute": round(words / (talk_us / 60e6), 1) if words and talk_us else None,
        "talk_listen_ratio": round(talk_us / others_us, 3) if others_us else None,
        "patience_ms": _patience_ms(line, speaker),
    }


def _patience_ms(line: Timeline, speaker: int) -> int | None:
    """Return the median wait after another speaker's turn before taking the floor, milliseconds."""
    waits = [
        max(0, after.start_us - before.end_us) / 1000
        for before, after in pairwise(line.turns)
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

    by: int
    of: int
    at_us: int
    """Start of ``by``'s utterance, microseconds."""
    successful: bool
    """Whether ``of`` stops within 1 s."""


def interruptions(line: Timeline) -> dict[int, Interruptions]:
    """Count the interruptions by each speaker."""
    found = {speaker: Interruptions() for speaker in line.speakers}
    for one in each_interruption(line):
        if one.successful:
            found[one.by].successful += 1
        else:
            found[one.by].failed += 1
    return found


def each_interruption(line: Timeline) -> Iterator[Interruption]:
    """Yield all interruptions, in time order.

    Back-channels neither interrupt nor are interrupted, and of two speakers who start together neither interrupts.
    """
    spoken: InOrder[Utterance] = InOrder(u for u in line.utterances if u.duration_us >= BACK_CHANNEL_US)
    for mine in spoken.things:
        for theirs in spoken.reaching(Window(mine.start_us, mine.start_us + 1)):
            early = theirs.end_us - mine.start_us
            shared = min(theirs.end_us, mine.end_us) - mine.start_us
            cuts_in = theirs.speaker != mine.speaker and theirs.start_us < mine.start_us
            if cuts_in and early >= EARLY_US and shared >= OVERLAP_US:
                yield Interruption(mine.speaker, theirs.speaker, mine.start_us, early <= STOPS_WITHIN_US)
