"""Quality of the speech in a session, judged on windows while the audio comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, OpinionScores, Samples

# Scores one window.
Judge = Callable[[Samples], Awaitable[OpinionScores]]
# Below this share of speech a window says more about the room than about a microphone.
MIN_SPEECH = 0.2
# The first windows are all judged; later every second: quality changes slowly, and the model is among the dearest.
JUDGED_AT_FIRST = 6
JUDGED_LATER_EVERY = 2
SPEECH_PROBABILITY = 0.5
# Scores are told at the end only: where words and speakers of live meetings need the machine now, so many windows may
# wait, which bounds a session's memory to 7 MB for them. A recording waits for its few: it ends soon after its last
# sample.
MAX_WAITING_LIVE, MAX_WAITING = 24, 4


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """A window and its scores; seconds from the session's start."""

    start_s: float
    end_s: float
    scores: OpinionScores


class QualityTrack:
    """Judges a session's windows one after another, beside the other work."""

    def __init__(self, window_samples: int, judge: Judge, *, live: bool) -> None:
        self._window_samples, self._ask = window_samples, judge
        self._most_waiting = MAX_WAITING_LIVE if live else MAX_WAITING
        self._samples: list[Samples] = []
        self._length = 0
        self._speech = 0.0
        self._start = 0
        self._candidates = 0
        self._waiting: deque[asyncio.Task[JudgedWindow]] = deque()
        self._one_at_a_time = asyncio.Lock()
        self._judged: list[JudgedWindow] = []

    async def push(self, samples: Samples, probabilities: NDArray[np.float32]) -> None:
        """Takes samples and the detector's probabilities for them (any number of windows)."""
        share = float((probabilities > SPEECH_PROBABILITY).mean()) if len(probabilities) else 0.0
        while len(samples):
            taken = samples[: self._window_samples - self._length]
            self._samples.append(taken)
            self._length += len(taken)
            self._speech += share * len(taken)
            samples = samples[len(taken) :]
            if self._length == self._window_samples:
                await self._close_window()

    async def finish(self) -> list[JudgedWindow]:
        """Every judged window, in the order of time. A short rest is judged where nothing else was."""
        if self._length > SAMPLE_RATE_HZ and not self._judged and not self._waiting:
            await self._close_window()
        await self._collect(at_most=0)
        return self._judged

    async def close(self) -> None:
        """Gives up what waits."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _close_window(self) -> None:
        window, length, speech, start = self._samples, self._length, self._speech, self._start
        self._samples, self._length, self._speech, self._start = [], 0, 0.0, start + length
        if speech < MIN_SPEECH * length:
            return
        self._candidates += 1
        if self._candidates > JUDGED_AT_FIRST and self._candidates % JUDGED_LATER_EVERY:
            return
        await self._collect(at_most=self._most_waiting - 1)
        # Half the memory, and the same numbers: samples come as 16-bit integers.
        kept = np.round(np.concatenate(window) * 32768).astype(np.int16)
        self._waiting.append(asyncio.create_task(self._judge(kept, start, start + length)))

    async def _judge(self, window: NDArray[np.int16], start: int, end: int) -> JudgedWindow:
        async with self._one_at_a_time:
            scores = await self._ask(window.astype(np.float32) / np.float32(32768))
        return JudgedWindow(start / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ, scores)

    async def _collect(self, at_most: int) -> None:
        """Takes what is judged, and waits until at most so many windows are not."""
        while self._waiting and (len(self._waiting) > at_most or self._waiting[0].done()):
            self._judged.append(await self._waiting.popleft())


def scores_around(judged: list[JudgedWindow], start_s: float, end_s: float) -> OpinionScores | None:
    """The mean scores of the windows a stretch lies in, weighted by overlap; else those of the nearest window."""
    if not judged:
        return None
    overlaps = [max(0.0, min(end_s, w.end_s) - max(start_s, w.start_s)) for w in judged]
    if not any(overlaps):
        middle = (start_s + end_s) / 2
        return min(judged, key=lambda w: abs((w.start_s + w.end_s) / 2 - middle)).scores
    weights = np.asarray(overlaps) / sum(overlaps)
    return OpinionScores(
        overall=float(np.dot(weights, [w.scores.overall for w in judged])),
        signal=float(np.dot(weights, [w.scores.signal for w in judged])),
        background=float(np.dot(weights, [w.scores.background for w in judged])),
    )
