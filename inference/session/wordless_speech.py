"""The count of speech in which no word was recognised, as words become final."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from inference.diarization import SpeechSegment
from inference.models import SAMPLE_RATE_HZ, RecognisedWord
from inference.monitoring import SPEECH, WORDLESS_SPEECH, kind_of


class WordlessSpeech:
    """Counts each speech segment of a session once."""

    def __init__(self, *, live: bool) -> None:
        kind = kind_of(live=live)
        self._speech, self._wordless = SPEECH.labels(kind), WORDLESS_SPEECH.labels(kind)
        self._counted = 0

    def count(
        self, segments: Sequence[SpeechSegment], final_samples: int, words_of: Callable[[int], Sequence[RecognisedWord]]
    ) -> None:
        """Count the segments that end at or before ``final_samples``, up to the first that does not.

        Args:
            segments: all that have ended so far, in order of time.
            final_samples: the sample before which words are final.
            words_of: returns the words of a segment by its index.
        """
        while self._counted < len(segments) and segments[self._counted].end_s * SAMPLE_RATE_HZ <= final_samples:
            self._add(segments[self._counted], has_words=bool(words_of(self._counted)))

    def finish(self, segments: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> None:
        """Count the rest, once every word is final; ``words``: all of the session, in order of time."""
        middles = [(word.start_s + word.end_s) / 2 for word in words]
        while self._counted < len(segments):
            segment = segments[self._counted]
            place = bisect_left(middles, segment.start_s)
            self._add(segment, has_words=place < len(middles) and middles[place] <= segment.end_s)

    def _add(self, segment: SpeechSegment, *, has_words: bool) -> None:
        self._counted += 1
        seconds = max(0.0, segment.end_s - segment.start_s)
        self._speech.inc(seconds)
        if not has_words:
            self._wordless.inc(seconds)
