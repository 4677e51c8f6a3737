"""Redaction of segments: placeholders in place of words, and the times of what was said there."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from server.conversation import Interval, RedactionKind, Segment, Word
from server.redaction.detection import RedactionRules, find_spans
from server.redaction.open_tail import find_open_tail

_END = re.compile(r"(?:['’]s)?[.,;:!?…。，！？]*$")
_POSSESSIVE = re.compile(r"['’]s(?=[.,;:!?…。，！？]*$)")


class _Place(NamedTuple):
    """A word of a stream with its place."""

    segment: int
    """Index of its segment."""
    position: int
    """Index within the segment."""
    word: Word


@dataclass(frozen=True, slots=True)
class RedactedSpan:
    """What was redacted."""

    kind: RedactionKind
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class RedactedSegments:
    """Segments with placeholders, in the order given."""

    segments: tuple[Segment, ...]
    spans: tuple[RedactedSpan, ...]
    """In time order."""
    held_from_us: dict[int, int] = field(default_factory=dict)
    """Start of the first word that is held back, by segment id."""


def redact_segments(
    segments: Sequence[Segment], rules: RedactionRules, *, heard_us: int | None = None
) -> RedactedSegments:
    """Redact the segments of one track.

    Numbers and addresses are looked for in each speaker's words, across segments and whatever others say between them,
    and again in all words of the track, for words that were attributed to the wrong speaker. A span of several segments
    has a placeholder in each.

    Args:
        segments: of one track; the words of each in time order.
        heard_us: up to where the audio has been analysed, where more of it follows: what the last words of a speaker
            may still become is then left out. None at the end of the audio.
    """
    if not rules.kinds:
        return RedactedSegments(tuple(segments), ())
    places = sorted(
        (_Place(s, w, word) for s, segment in enumerate(segments) for w, word in enumerate(segment.words)),
        key=lambda place: (place.word.start_us, place.word.end_us, place.segment, place.position),
    )
    by_speaker: defaultdict[int, list[_Place]] = defaultdict(list)
    for place in places:
        by_speaker[segments[place.segment].speaker].append(place)
    marks: dict[tuple[int, int], tuple[RedactionKind, int]] = {}
    spans: list[RedactedSpan] = []
    for stream in by_speaker.values():
        _mark(stream, segments, rules, marks, spans)
    numbers = replace(rules, kinds=rules.kinds - {RedactionKind.NAME})
    if len(by_speaker) > 1:
        _mark(places, segments, numbers, marks, spans)
    held: set[tuple[int, int]] = set()
    if heard_us is not None:
        for stream in by_speaker.values():
            language = _most_common(segments[place.segment].language for place in stream)
            first = find_open_tail([place.word for place in stream], rules.kinds, language, heard_us)
            held |= {(place.segment, place.position) for place in stream[first:]} - marks.keys()
    held_from_us: dict[int, int] = {}
    for segment, position in sorted(held, reverse=True):
        held_from_us[segments[segment].segment_id] = segments[segment].words[position].start_us
    redacted = tuple(_replace_words(index, segment, marks, held) for index, segment in enumerate(segments))
    in_order = tuple(sorted(spans, key=lambda span: (span.start_us, span.end_us)))
    return RedactedSegments(redacted, in_order, held_from_us)


def _mark(
    stream: Sequence[_Place],
    segments: Sequence[Segment],
    rules: RedactionRules,
    marks: dict[tuple[int, int], tuple[RedactionKind, int]],
    spans: list[RedactedSpan],
) -> None:
    """Mark the words of a stream that are redacted, with the kind and a number of the span."""
    language = _most_common(segments[place.segment].language for place in stream)
    for span in find_spans([place.word for place in stream], rules, language):
        covered = stream[span.first : span.last + 1]
        if all((place.segment, place.position) in marks for place in covered):
            continue
        for place in covered:
            marks[place.segment, place.position] = span.kind, len(spans)
        end_us = max(place.word.end_us for place in covered)
        spans.append(RedactedSpan(span.kind, covered[0].word.start_us, end_us))


def _most_common(languages: Iterable[str]) -> str:
    ((language, _),) = Counter(languages).most_common(1) or [("", 0)]
    return language


def _replace_words(
    index: int,
    segment: Segment,
    marks: dict[tuple[int, int], tuple[RedactionKind, int]],
    held: set[tuple[int, int]],
) -> Segment:
    words: list[Word] = []
    span: list[Word] = []
    for number, word in enumerate(segment.words):
        mark = marks.get((index, number))
        if mark is None:
            if (index, number) not in held:
                words.append(word)
            continue
        span.append(word)
        if marks.get((index, number + 1)) != mark:
            words.append(placeholder(mark[0], span))
            span = []
    return replace(segment, words=tuple(words))


def placeholder(kind: RedactionKind, span: Sequence[Word]) -> Word:
    """Return the word in place of a span: with its times, its mean confidence and the punctuation after it."""
    known = [word.confidence for word in span if word.confidence is not None]
    last = span[-1].text
    match = _END.search(last)
    ending = match.group() if match else ""
    if kind is not RedactionKind.NAME:
        ending = _POSSESSIVE.sub("", ending)
    return Word(
        kind.placeholder + ending,
        span[0].start_us,
        max(word.end_us for word in span),
        sum(known) / len(known) if known else None,
    )


def padded_ranges_ms(spans: Iterable[RedactedSpan], duration_us: int, margin_ms: int) -> list[list[int]]:
    """Return the ranges of the audio that are silenced, [start, end] in milliseconds, in time order, without overlaps.

    Args:
        duration_us: length of the meeting.
        margin_ms: what is silenced before and after the words, whose times are estimates.
    """
    merged: list[list[int]] = []
    for start_us, end_us in sorted(Interval(span.start_us, span.end_us) for span in spans):
        start = max(0, start_us // 1000 - margin_ms)
        end = min(-(-duration_us // 1000), -(-end_us // 1000) + margin_ms)
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
