"""Language identification over a session's windows, never anew for each chunk."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

# No window is transcribed before this much speech, seconds, or this many windows: a meeting often begins with a
# greeting in any language.
SETTLE_S, SETTLE_WINDOWS = 10.0, 3
# Prior probability that the next window is in another language; shared by all others.
CHANGE_PROBABILITY = 0.05
# This much speech, seconds, counts as one observation; a window counts as at most two.
OBSERVATION_S, MAX_OBSERVATIONS = 10.0, 2.0
# Floor of the detector's probabilities: a single window never rules a language out.
MIN_PROBABILITY = 1e-3


class LanguageTracker:
    """Language of each window of one session: the forward pass of a hidden Markov model over languages.

    One short span that resembles another language changes nothing; a window or two do.
    """

    def __init__(self, languages: tuple[str, ...], given: str = "") -> None:
        """``languages``: the recogniser's; ``given``: one of these, chosen by the client, or empty."""
        self._given = given or (languages[0] if len(languages) == 1 else "")
        self._detected = not given and len(languages) > 1
        self._probabilities = {language: 1 / len(languages) for language in languages}
        self._evidence: dict[int, tuple[Mapping[str, float], float]] = {}  # not settled yet
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._next = 0
        self._max_wait_windows = SETTLE_WINDOWS
        self._speech_s = 0.0
        self._current = self._given
        self._speech_in_s: defaultdict[str, float] = defaultdict(float)  # seconds of speech in each language
        self._confidence_s: defaultdict[str, float] = defaultdict(float)  # probability times seconds

    @property
    def current(self) -> str:
        """Language of the last window judged, or the given one; empty before any."""
        return self._current

    @property
    def confidence(self) -> float | None:
        """Confidence in ``current``, 0..1; None where it was given, or before any window was judged."""
        return self.confidence_in(self._current)

    def confidence_in(self, language: str) -> float | None:
        """Return a language's mean probability over the speech in it; None where it was given or is not spoken."""
        if not self._detected or not self._speech_in_s.get(language):
            return None
        return self._confidence_s[language] / self._speech_in_s[language]

    @property
    def main_language(self) -> str:
        """Language of most of the speech judged so far; empty before any."""
        return max(sorted(self._speech_in_s), key=self._speech_in_s.__getitem__, default="")

    async def language_of(self, window: int, languages: Mapping[str, float], speech_s: float) -> str:
        """Return the language of a window, once it is settled.

        Args:
            window: number of the window, from 0; each is passed once.
            languages: probability of each language by this window alone, 0..1.
            speech_s: speech in the window, seconds.
        """
        self._evidence[window] = (languages, speech_s)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[window] = future
        self._observe_in_order()
        return await future

    def settle_after(self, windows: int) -> None:
        """Settle the language after so many windows at the latest: no more come, or nobody can wait for more."""
        self._max_wait_windows = min(self._max_wait_windows, windows)
        self._settle()

    def _observe_in_order(self) -> None:
        # By time, whatever order windows arrive in: results must not depend on which was encoded faster.
        while self._next in self._evidence:
            languages, speech_s = self._evidence[self._next]
            self._observe(languages, speech_s)
            self._speech_s += speech_s
            self._next += 1
            self._settle()

    def _settle(self) -> None:
        """Settle the windows observed so far, once there are enough: those that waited get the joint result."""
        enough = self._speech_s >= SETTLE_S or self._next >= min(SETTLE_WINDOWS, self._max_wait_windows)
        if not (enough or self._given):
            return
        for window in sorted(number for number in self._evidence if number < self._next):
            languages, speech_s = self._evidence.pop(window)
            self._current = self._given or self._most_likely()
            self._speech_in_s[self._current] += speech_s
            self._confidence_s[self._current] += speech_s * languages.get(self._current, 0.0)
            if not (future := self._waiting.pop(window)).done():  # else cancelled by the caller
                future.set_result(self._current)

    def _observe(self, languages: Mapping[str, float], speech_s: float) -> None:
        """Update the belief with a window's probabilities."""
        weight = min(MAX_OBSERVATIONS, speech_s / OBSERVATION_S)
        share = CHANGE_PROBABILITY / max(1, len(self._probabilities) - 1)
        for language, before in self._probabilities.items():
            expected = (1 - CHANGE_PROBABILITY) * before + share * (1 - before)
            self._probabilities[language] = expected * max(MIN_PROBABILITY, languages.get(language, 0.0)) ** weight
        total = sum(self._probabilities.values())
        self._probabilities = {language: probability / total for language, probability in self._probabilities.items()}

    def _most_likely(self) -> str:
        return max(self._probabilities, key=self._probabilities.__getitem__, default="")
