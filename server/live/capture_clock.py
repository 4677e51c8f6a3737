"""When the audio of a track was captured, by the client's clock, against its positions: pauses, and drift.

A client may say of a chunk when its first sample was captured. Where that is clearly later than the position says,
nothing was recorded in between, and silence is filled in. A smaller difference is made up for in small steps, since
the clock of a sound card is never exactly the meeting's.
"""

from __future__ import annotations

from itertools import combinations
from statistics import median

import numpy as np

# A chunk that was captured later than this after the moment that its position says follows a pause, microseconds.
SURE_PAUSE_US = 1_000_000
# One that is later than this does if all are for so much audio: capture times of a busy client are late, some more and
# some less.
PAUSE_US, CONFIRMED_US = 200_000, 1_000_000
# One captured earlier than this before the moment that its position says: its clock is not followed, microseconds.
MOST_BEHIND_US = 1_000_000
# Its clock is right again once none is for so much audio, microseconds.
RIGHT_AGAIN_US = 10_000_000
# A difference is measured over spans of audio of this length, microseconds, and is the median of the latest three.
SPAN_US = 10_000_000
LATEST_SPANS = 3
# So many times of a span are enough.
MAX_TIMES = 2000
# A drift is measured over the last ten minutes at most, and known after two.
MAX_SPANS, LEAST_SPANS = 60, 12
# A difference of this is made up for where it is quiet, of more than this anywhere, microseconds.
QUIET_STEP_US, STEP_US = 20_000, 30_000
# It is known if it is so many times its own uncertainty.
CERTAINTY = 8.0


class CaptureClock:
    """Compare capture times with the positions of a track. All times are microseconds of the meeting."""

    def __init__(self) -> None:
        self.behind = False
        """Whether a chunk of the last 10 s of audio was captured long before its position says."""
        self.corrected_us = 0
        """Silence filled in to make up for small differences, less what was left out."""
        self.drift_ppm: int | None = None
        """How much faster than the meeting's clock samples come, in parts per million; negative: slower.

        None while there were never two minutes of evidence without a pause that agree.
        """
        self._offset_us = 0  # of this, since the evidence begins
        self._evidence: list[tuple[float, float]] = []  # of each span: its middle, and the difference
        self._span: list[tuple[int, int]] = []
        self._step_us = 0  # to make up for
        self._late: tuple[int, int] | None = None  # since when all are late, and the least of it
        self._right_since_us: int | None = None

    def pause_us(self, captured_us: int, moment_us: int, *, first: bool) -> int:
        """Return how much silence belongs before a chunk, because nothing was recorded there or shortly before.

        A pause of up to 1 s is known only after another second of audio, and is filled in there.

        Args:
            captured_us: when its first sample was captured.
            moment_us: the moment that its position says.
            first: whether it is the first of its track, which begins exactly when it was captured.
        """
        late_us = captured_us - moment_us
        if late_us <= (0 if first else PAUSE_US):
            self._late = None
            return 0
        if not first and late_us <= SURE_PAUSE_US:
            since_us, least_us = self._late or (moment_us, late_us)
            late_us = min(late_us, least_us)
            self._late = since_us, late_us
            if moment_us - since_us < CONFIRMED_US:
                return 0
        # What was measured before does not tell how exact this time is.
        self._evidence, self._span, self._step_us, self._offset_us = [], [], 0, 0
        self._late = self._right_since_us = None
        return late_us

    def step_us(self, captured_us: int, moment_us: int, *, quiet: bool) -> int:
        """Return by how much silence to make up for a difference before a chunk; negative: so much is left out.

        Args:
            captured_us: when its first sample was captured.
            moment_us: the moment that its position says, pauses included.
            quiet: whether its beginning is silent.
        """
        if captured_us < moment_us - MOST_BEHIND_US:
            self.behind, self._right_since_us = True, None
            return 0
        if self.behind:
            self._right_since_us = moment_us if self._right_since_us is None else self._right_since_us
            self.behind = moment_us - self._right_since_us < RIGHT_AGAIN_US
        # As if nothing had been corrected: the differences of minutes lie on a line then.
        moment_us -= self._offset_us
        if self._span and moment_us - self._span[0][0] >= SPAN_US:
            self._close_span()
        if len(self._span) < MAX_TIMES:
            self._span.append((moment_us, captured_us - moment_us))
        if abs(self._step_us) < (QUIET_STEP_US if quiet else STEP_US):
            return 0
        step_us = max(-STEP_US, min(self._step_us, STEP_US))
        self._step_us = 0
        self._offset_us += step_us
        self.corrected_us += step_us
        return step_us

    def _close_span(self) -> None:
        middle = (self._span[0][0] + self._span[-1][0]) / 2
        self._evidence = [*self._evidence, (middle, median(late for _, late in self._span))][-MAX_SPANS:]
        self._span = []
        if len(self._evidence) >= LEAST_SPANS:
            self._measure_drift()
        if len(self._evidence) >= LATEST_SPANS:
            self._step_us = round(median(late for _, late in self._evidence[-LATEST_SPANS:])) - self._offset_us

    def _measure_drift(self) -> None:
        # The median of all slopes (Theil and Sen) is not moved by a few wrong times.
        slope = float(np.median([(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(self._evidence, 2)]))
        times, late = np.array(self._evidence).T
        rests = late - slope * times
        deviation = 1.4826 * float(np.median(np.abs(rests - np.median(rests))))
        if abs(slope) >= CERTAINTY * deviation / (float(np.std(times)) * len(times) ** 0.5):
            self.drift_ppm = round(-slope * 1e6)
