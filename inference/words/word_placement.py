"""Assigning words to speech segments, as soon as the segments around them are known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from inference.diarization import SpeechRule, SpeechSegment
from inference.models import RecognisedWord

# A segment's words are complete once those that begin this long after it are known, seconds.
NEAREST_WITHIN_S = 1.0
# The rule that segments the session's speech.
RULE = SpeechRule()


@dataclass(frozen=True, slots=True)
class _SegmentSpan:
    """A speech segment; ``end_s``: as far as it reaches now."""

    number: int
    start_s: float
    end_s: float

    def overlap_s(self, word: RecognisedWord) -> float:
        """Return the overlap with a word, seconds; the negated gap where there is none."""
        return min(word.end_s, self.end_s) - max(word.start_s, self.start_s)


class WordPlacement:
    """Assigns each word to the segment that holds most of it, else to the nearest; the earlier of two equal ones.

    A word more than 1 s from all speech goes to the segment before it, or to the session's first. The result depends on
    the word and the segments alone, never on when either became known.
    """

    def __init__(self) -> None:
        self._closed: list[_SegmentSpan] = []  # those that later words may be near to
        self._open: _SegmentSpan | None = None
        self._unassigned: list[RecognisedWord] = []
        self._leading_words: list[RecognisedWord] = []
        self._words: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
        self._incomplete: dict[int, _SegmentSpan] = {}  # closed segments that may get more words
        self._changed: set[int] = set()

    def extend_segment(self, number: int, segment: SpeechSegment) -> None:
        """Update the ongoing segment."""
        self._open = _SegmentSpan(number, segment.start_s, segment.end_s)

    def abandon_segment(self) -> None:
        """Discard the ongoing segment."""
        self._open = None

    def close_segment(self, number: int, segment: SpeechSegment) -> None:
        """End the segment."""
        speech = _SegmentSpan(number, segment.start_s, segment.end_s)
        self._closed.append(speech)
        self._incomplete[number] = speech
        self._open = None

    def add(self, word: RecognisedWord) -> None:
        """Add a word, to be placed later."""
        self._unassigned.append(word)

    def assign(self, processed_s: float, known_s: float) -> None:
        """Assign waiting words, as far as the segments around them are known.

        Args:
            processed_s: every segment that begins more than its lead before this is closed or extended, seconds.
            known_s: no word added later begins before this, seconds.
        """
        next_start_s = processed_s - RULE.lead_s
        if self._closed and self._leading_words:
            self._append(self._closed[0].number, *self._leading_words)
            self._leading_words = []
        unassigned, self._unassigned = self._unassigned, []
        for word in unassigned:
            self._assign_word(word, next_start_s)
        known_s = min(known_s, self.first_unassigned_s())
        for number, limit_s in [
            (number, self._complete_after_s(speech)) for number, speech in self._incomplete.items()
        ]:
            if known_s > limit_s:
                del self._incomplete[number]
                self._changed.add(number)
        while len(self._closed) > 1 and self._closed[1].end_s <= known_s:
            del self._closed[0]

    def first_unassigned_s(self) -> float:
        """Return the start of the first word that waits for its segments, seconds; infinite where none does."""
        return min((word.start_s for word in self._unassigned), default=float("inf"))

    def waiting_words(self) -> list[RecognisedWord]:
        """Return the words that wait for the segments around them."""
        return list(self._unassigned)

    def pop_changed_segments(self) -> set[int]:
        """Return the segments that got words or became complete since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        return sorted(self._words.get(number, ()), key=lambda word: (word.start_s, word.end_s))

    def awaits_words(self, number: int) -> bool:
        """Return whether the segment is open, or words near it may still come."""
        return number in self._incomplete or (self._open is not None and self._open.number == number)

    def _append(self, number: int, *words: RecognisedWord) -> None:
        self._words[number] += words
        self._changed.add(number)

    def _assign_word(self, word: RecognisedWord, next_start_s: float) -> None:
        # Upper bounds of the overlap with a segment yet to begin, and with the ongoing one.
        next_overlap_s = word.end_s - max(word.start_s, next_start_s)
        ongoing_overlap_s = word.end_s - max(word.start_s, self._open.start_s) if self._open else float("-inf")
        best = max(self._certain_segments(), key=lambda speech: speech.overlap_s(word), default=None)
        best_overlap_s = best.overlap_s(word) if best else float("-inf")
        if max(best_overlap_s, next_overlap_s, ongoing_overlap_s) < -NEAREST_WITHIN_S:
            before = [speech for speech in self._closed if speech.start_s <= word.start_s]
            if self._closed:
                self._append((before[-1] if before else self._closed[0]).number, word)
            else:
                self._leading_words.append(word)
            return
        rival_overlap_s = (
            next_overlap_s
            if best and self._open and best.number == self._open.number
            else max(next_overlap_s, ongoing_overlap_s)
        )
        if best is None or best_overlap_s < -NEAREST_WITHIN_S or best_overlap_s < rival_overlap_s:
            self._unassigned.append(word)
        else:
            self._append(best.number, word)

    def _certain_segments(self) -> list[_SegmentSpan]:
        """Return the segments that cannot be discarded any more, by time."""
        if self._open is not None and self._is_certain(self._open):
            return [*self._closed, self._open]
        return self._closed

    def _is_certain(self, speech: _SegmentSpan) -> bool:
        """Return whether an ongoing segment is too long to be discarded."""
        return speech.end_s - speech.start_s >= RULE.min_speech_s + RULE.lead_s

    def _complete_after_s(self, speech: _SegmentSpan) -> float:
        """Return the time, seconds, after which no word near speech goes to the segment."""
        following = next((other for other in self._certain_segments() if other.number > speech.number), None)
        limit_s = speech.end_s + NEAREST_WITHIN_S
        return limit_s if following is None else min(limit_s, (speech.end_s + following.start_s) / 2)
