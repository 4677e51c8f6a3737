"""Cues of subtitles: what one person says, short enough to be read while it is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from server.conversation import ends_sentence, join_words
from server.documents.meeting import DocumentedMeeting, Stretch

# Two lines of 42 columns for up to 7 s, as streaming services have it (Netflix, Timed Text Style Guide).
LINE_COLUMNS = 42
# Two lines, and the space between them.
MOST_COLUMNS = 2 * LINE_COLUMNS + 1
MAX_MS, MIN_MS = 7_000, 1_000
# A pause that ends a cue, and how much of two lines a sentence must fill to end one.
PAUSE_MS = 1_000
SENTENCE_COLUMNS = LINE_COLUMNS // 2


@dataclass(frozen=True, slots=True)
class Cue:
    """Text of one speaker on at most two lines, and when it is shown, milliseconds."""

    start_ms: int
    end_ms: int
    speaker: int
    lines: tuple[str, ...]


def find_cues(meeting: DocumentedMeeting) -> list[Cue]:
    """Return all cues in the order of time. People who speak at once have cues at once."""
    cues = [
        cue
        for said in meeting.by_speaker(meeting.words).values()
        for cue in _cues_of_one(said, meeting.language, meeting.duration_ms)
    ]
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms, cue.speaker))


def columns(text: str) -> int:
    """Return the width of a text: letters of East Asian scripts take two columns, combining marks none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(sign: str) -> int:
    return 0 if unicodedata.combining(sign) else 2 if _is_wide(sign) else 1


def _cues_of_one(words: Sequence[Stretch], language: str, duration_ms: int) -> Iterator[Cue]:
    groups = list(_groups(words, language))
    for index, group in enumerate(groups):
        start_ms, end_ms = group[0].start_ms, max(word.end_ms for word in group)
        # A cue of a moment stays until it can be read, or until the next one comes.
        limit_ms = groups[index + 1][0].start_ms if index + 1 < len(groups) else max(duration_ms, end_ms)
        end_ms = max(min(end_ms, limit_ms), min(start_ms + MIN_MS, limit_ms), start_ms + 1)
        text = join_words((word.text for word in group), language)
        yield Cue(start_ms, end_ms, group[0].speaker, _lines(text))


def _groups(words: Sequence[Stretch], language: str) -> Iterator[list[Stretch]]:
    group: list[Stretch] = []
    text, width = "", 0
    for word in words:
        longer = join_words((text, word.text), language) if group else word.text
        longer_width = width + columns(longer[len(text) :])
        if group and (
            word.start_ms - group[-1].end_ms >= PAUSE_MS
            or word.end_ms - group[0].start_ms > MAX_MS
            or not _fits(longer, longer_width)
            or (width >= SENTENCE_COLUMNS and ends_sentence(text, language))
        ):
            yield group
            group, longer, longer_width = [], word.text, columns(word.text)
        group.append(word)
        text, width = longer, longer_width
    if group:
        yield group


def _fits(text: str, width: int) -> bool:
    """Return whether a text of this width fits on two lines."""
    if not LINE_COLUMNS < width <= MOST_COLUMNS:
        return width <= LINE_COLUMNS
    return all(columns(line) <= LINE_COLUMNS for line in _lines(text))


def _lines(text: str) -> tuple[str, ...]:
    """Break a text that is wider than a line into two of about the same width; a single word stays whole."""
    widths = list(accumulate(map(_columns, text)))
    breaks = [index for index in range(1, len(text)) if text[index] == " " or _is_wide(text[index - 1])]
    if not breaks or widths[-1] <= LINE_COLUMNS:
        return (text,)
    best = min(breaks, key=lambda index: abs(2 * widths[index - 1] - widths[-1]))
    return text[:best], text[best:].lstrip()


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"
