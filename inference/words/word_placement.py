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
class _Speech:
    """A speech segment; ``end_s``: as far as it reaches now."""

    number: int
    start_s: float
    end_s: float

    def closeness(self, word: RecognisedWord) -> float:
        """Return the overlap with a word, seconds; the negated gap where there is none."""
        return min(word.end_s, self.end_s) - max(word.start_s, self.start_s)


class WordPlacement:
    """Assigns each word to the segment that holds most of it, else to the nearest; the earlier of two equal ones.

    A word more than 1 s from all speech goes to the segment before it, or to the session's first. The result depends on
    the word and the segments alone, never on when either became known.
    """

    def __init__(self) -> None:
        self._closed: list[_Speech] = []  # those that later words may be near to
        self._open: _Speech | None = None
        self._waiting: list[RecognisedWord] = []
        self._before_all: list[RecognisedWord] = []
        self._words: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
        self._unsure: dict[int, _Speech] = {}  # closed segments that may get more words
        self._changed: set[int] = set()

    def follow(self, number: int, segment: SpeechSegment) -> None:
        """Update the ongoing segment."""
        self._open = _Speech(number, segment.start_s, segment.end_s)

    def abandon(self) -> None:
        """Discard the ongoing segment."""
        self._open = None

    def close(self, number: int, segment: SpeechSegment) -> None:
        """End the segment."""
        speech = _Speech(number, segment.start_s, segment.end_s)
        self._closed.append(speech)
        self._unsure[number] = speech
        self._open = None

    def add(self, word: RecognisedWord) -> None:
        """Add a word, to be placed later."""
        self._waiting.append(word)

    def place(self, heard_s: float, known_s: float) -> None:
        """Assign waiting words, as far as the segments around them are known.

        Args:
            heard_s: every segment that begins more than its lead before this is closed or followed, seconds.
            known_s: no word added later begins before this, seconds.
        """
        begins_s = heard_s - RULE.lead_s
        if self._closed and self._before_all:
            self._put(self._closed[0].number, *self._before_all)
            self._before_all = []
        waiting, self._waiting = self._waiting, []
        for word in waiting:
            self._place_one(word, begins_s)
        known_s = min(known_s, self.first_waiting_s())
        for number, limit_s in [(number, self._sure_from_s(speech)) for number, speech in self._unsure.items()]:
            if known_s > limit_s:
                del self._unsure[number]
                self._changed.add(number)
        while len(self._closed) > 1 and self._closed[1].end_s <= known_s:
            del self._closed[0]

    def first_waiting_s(self) -> float:
        """Return the start of the first word that waits for its segments, seconds; infinite where none does."""
        return min((word.start_s for word in self._waiting), default=float("inf"))

    def take_changed(self) -> set[int]:
        """Return the segments that got words or became complete since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        return sorted(self._words.get(number, ()), key=lambda word: (word.start_s, word.end_s))

    def waits_for(self, number: int) -> bool:
        """Return whether the segment is open, or words near it may still come."""
        return number in self._unsure or (self._open is not None and self._open.number == number)

    def _put(self, number: int, *words: RecognisedWord) -> None:
        self._words[number] += words
        self._changed.add(number)

    def _place_one(self, word: RecognisedWord, begins_s: float) -> None:
        # Upper bounds of the overlap with a segment yet to begin, and with the ongoing one.
        coming = word.end_s - max(word.start_s, begins_s)
        growing = word.end_s - max(word.start_s, self._open.start_s) if self._open else float("-inf")
        best = max(self._lasting(), key=lambda speech: speech.closeness(word), default=None)
        closest = best.closeness(word) if best else float("-inf")
        if max(closest, coming, growing) < -NEAREST_WITHIN_S:
            before = [speech for speech in self._closed if speech.start_s <= word.start_s]
            if self._closed:
                self._put((before[-1] if before else self._closed[0]).number, word)
            else:
                self._before_all.append(word)
            return
        rival = coming if best and self._open and best.number == self._open.number else max(coming, growing)
        if best is None or closest < -NEAREST_WITHIN_S or closest < rival:
            self._waiting.append(word)
        else:
            self._put(best.number, word)

    def _lasting(self) -> list[_Speech]:
        """Return the segments that cannot be discarded any more, by time."""
        if self._open is not None and self._is_certain(self._open):
            return [*self._closed, self._open]
        return self._closed

    def _is_certain(self, speech: _Speech) -> bool:
        """Return whether an ongoing segment is too long to be discarded."""
        return speech.end_s - speech.start_s >= RULE.min_speech_s + RULE.lead_s

    def _sure_from_s(self, speech: _Speech) -> float:
        """Return the time, seconds, after which no word near speech goes to the segment."""
        following = next((other for other in self._lasting() if other.number > speech.number), None)
        limit_s = speech.end_s + NEAREST_WITHIN_S
        return limit_s if following is None else min(limit_s, (speech.end_s + following.start_s) / 2)
