"""Listening quality of a session's speech, estimated on windows as audio arrives."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, OpinionScores, Samples

# Scores one window, shape (n,).
Scorer = Callable[[Samples], Awaitable[OpinionScores]]
# With less speech, a window tells more about the room than about the microphone.
MIN_SPEECH_SHARE = 0.2
# All of the first windows are scored, then every second one: quality changes slowly, and the model is costly.
SCORED_AT_FIRST = 6
SCORED_LATER_EVERY = 2
SPEECH_PROBABILITY = 0.5
# Scores are reported only at the end. Live words and speakers need the machine now, so this many windows may wait, at
# most 7 MB a session. A recording waits for its few windows: it ends soon after its last sample.
MAX_WAITING_LIVE, MAX_WAITING = 24, 4


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """A window and its scores; seconds from the session's start."""

    start_s: float
    end_s: float
    scores: OpinionScores


class QualityScorer:
    """Scores a session's windows one after another, beside other work."""

    def __init__(self, window_samples: int, scorer: Scorer, *, live: bool) -> None:
        self._window_samples, self._scorer = window_samples, scorer
        self._max_waiting = MAX_WAITING_LIVE if live else MAX_WAITING
        self._samples: list[Samples] = []
        self._length = 0
        self._speech = 0.0
        self._start = 0
        self._candidates = 0
        self._waiting: deque[asyncio.Task[ScoredWindow]] = deque()
        self._lock = asyncio.Lock()
        self._scored: list[ScoredWindow] = []

    async def push(self, samples: Samples, probabilities: NDArray[np.float32]) -> None:
        """Process samples, shape (n,), with the detector's probabilities for them (any number of windows)."""
        share = float((probabilities > SPEECH_PROBABILITY).mean()) if len(probabilities) else 0.0
        while len(samples):
            block = samples[: self._window_samples - self._length]
            self._samples.append(block)
            self._length += len(block)
            self._speech += share * len(block)
            samples = samples[len(block) :]
            if self._length == self._window_samples:
                await self._close_window()

    async def finish(self) -> list[ScoredWindow]:
        """Return every scored window by time. A short rest is scored where no other window was."""
        if self._length > SAMPLE_RATE_HZ and not self._scored and not self._waiting:
            await self._close_window()
        await self._collect(at_most=0)
        return self._scored

    async def close(self) -> None:
        """Cancel pending windows."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _close_window(self) -> None:
        window, length, speech, start = self._samples, self._length, self._speech, self._start
        self._samples, self._length, self._speech, self._start = [], 0, 0.0, start + length
        if speech < MIN_SPEECH_SHARE * length:
            return
        self._candidates += 1
        if self._candidates > SCORED_AT_FIRST and self._candidates % SCORED_LATER_EVERY:
            return
        await self._collect(at_most=self._max_waiting - 1)
        # 16 bits halve the memory without loss: samples arrive as 16-bit integers.
        kept = np.round(np.concatenate(window) * 32768).astype(np.int16)
        self._waiting.append(asyncio.create_task(self._score(kept, start, start + length)))

    async def _score(self, window: NDArray[np.int16], start: int, end: int) -> ScoredWindow:
        async with self._lock:
            scores = await self._scorer(window.astype(np.float32) / np.float32(32768))
        return ScoredWindow(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ, scores)

    async def _collect(self, at_most: int) -> None:
        """Take finished scores, and wait until at most so many windows are pending."""
        while self._waiting and (len(self._waiting) > at_most or self._waiting[0].done()):
            self._scored.append(await self._waiting.popleft())


def scores_around(scored: list[ScoredWindow], start_s: float, end_s: float) -> OpinionScores | None:
    """Return the mean scores of the windows that overlap a span, weighted by overlap; else the nearest window's."""
    if not scored:
        return None
    overlaps = [max(0.0, min(end_s, w.end_s) - max(start_s, w.start_s)) for w in scored]
    if not any(overlaps):
        middle = (start_s + end_s) / 2
        return min(scored, key=lambda w: abs((w.start_s + w.end_s) / 2 - middle)).scores
    weights = np.asarray(overlaps) / sum(overlaps)
    return OpinionScores(
        overall=float(np.dot(weights, [w.scores.overall for w in scored])),
        signal=float(np.dot(weights, [w.scores.signal for w in scored])),
        background=float(np.dot(weights, [w.scores.background for w in scored])),
    )
