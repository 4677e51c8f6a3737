"""Steps of a frame diarizer, measured and compared: what ``benchmarks.gpu`` finds without a clock that runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, Samples, StreamInput
from inference.sortformer import FRAME_SAMPLES, SessionAudio, StreamingSettings

# Chunks before those of a session of some minutes.
CHUNKS_BEFORE = 1000


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one call takes that tells a chunk of each of ``sessions``; seconds."""

    sessions: int
    usual_s: float
    """Median, with a fifo half full, as it is on average."""
    worst_s: float
    """Median, with a full fifo: frames of every session move on, and every cache is compressed."""
    processor_s: float
    """Of all threads, in a usual call; less than the time taken where others have the processor, or the GPU works."""
    speed: float
    """Seconds of audio told a second, in usual calls."""


class Streams:
    """Sessions with full caches, as after minutes of a meeting."""

    def __init__(self, diarizer: Any, settings: StreamingSettings) -> None:
        self.diarizer, self.settings = diarizer, settings
        self.frame = diarizer.frame_samples
        self.chunk_samples = settings.chunk * self.frame
        self.chunk_s = self.chunk_samples / SAMPLE_RATE_HZ
        rng = np.random.default_rng(0)
        self._sound = (0.05 * rng.standard_normal(60 * SAMPLE_RATE_HZ)).astype(np.float32)

    def audio(self, samples: int) -> Samples:
        """Noise."""
        return np.resize(self._sound, samples)

    def state(self, fifo: int) -> Any:
        """A session with so many frames in its fifo, whose next chunk lacks a chunk of audio."""
        import torch

        settings, empty = self.settings, self.diarizer.initial_state()
        width, speakers = empty.fifo.shape[1], self.diarizer.max_speakers
        device = empty.fifo.device
        return replace(
            empty,
            audio=session_audio(settings, self._sound),
            cache=torch.randn((settings.speaker_cache, width), device=device),
            cache_probabilities=torch.rand((settings.speaker_cache, speakers), device=device),
            fifo=torch.randn((fifo, width), device=device),
        )

    def fullest_fifo(self) -> int:
        """See ``fullest_fifo``."""
        return fullest_fifo(self.settings)


def fullest_fifo(settings: StreamingSettings) -> int:
    """Frames in the fifo before a chunk that makes some of them move on."""
    return settings.fifo - settings.fifo % settings.chunk or settings.fifo


def session_audio(settings: StreamingSettings, sound: Samples) -> SessionAudio:
    """What a session of some minutes keeps of its audio, whose next chunk lacks a chunk; of ``sound``, repeated."""
    emitted = CHUNKS_BEFORE * settings.chunk
    received = emitted * FRAME_SAMPLES + settings.latency_samples - settings.chunk * FRAME_SAMPLES
    first = (emitted - settings.left_context) * FRAME_SAMPLES - 320  # two hops of the spectrum before
    return SessionAudio(np.resize(sound, received - first), first, received, emitted)


def step_time(streams: Streams, sessions: int, seconds: float) -> StepTime:
    """The time of a call with so many sessions; the usual and the worst are each measured for half of ``seconds``."""
    full = streams.fullest_fifo()
    usual_s, processor_s = _median_time(streams, streams.state(full // 2), sessions, seconds / 2)
    worst_s, _ = _median_time(streams, streams.state(full), sessions, seconds / 2)
    return StepTime(sessions, usual_s, worst_s, processor_s, sessions * streams.chunk_s / usual_s)


def _median_time(streams: Streams, state: Any, sessions: int, seconds: float) -> tuple[float, float]:
    """Return the median duration of a call, at least three, and a call's processor time."""
    work = [StreamInput(streams.audio(streams.chunk_samples), state)] * sessions
    streams.diarizer(work)  # the first call allocates
    durations_s: list[float] = []
    began, processor = time.perf_counter(), time.process_time()
    while len(durations_s) < 3 or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        results = streams.diarizer(work)
        durations_s.append(time.perf_counter() - start)
        assert all(len(frames) == streams.settings.chunk for frames, _ in results)
    return float(np.median(durations_s)), (time.process_time() - processor) / len(durations_s)


def equal_decisions(streams: Streams, sessions: int, chunks: int) -> float:
    """The share of decisions (0.5) that are the same in calls with ``sessions`` sessions and one at a time."""
    full = streams.fullest_fifo()
    rng = np.random.default_rng(sessions)
    states = [streams.state(int(rng.integers(0, full + 1))) for _ in range(sessions)]
    starts = rng.integers(0, len(streams.audio(30 * SAMPLE_RATE_HZ)), sessions)

    def told(groups: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
        own, found = list(states), []
        for chunk in range(chunks):
            for group in groups:
                begins = [int(starts[i]) + chunk * streams.chunk_samples for i in group]
                sound = streams.audio(60 * SAMPLE_RATE_HZ)
                work = [
                    StreamInput(np.resize(sound[begin:], streams.chunk_samples), own[i])
                    for begin, i in zip(begins, group, strict=True)
                ]
                for i, (frames, state) in zip(group, streams.diarizer(work), strict=True):
                    own[i] = state
                    found.append(frames > 0.5)
        return np.stack(found)

    together = told([range(sessions)])
    alone = told([[i] for i in range(sessions)])
    return float((together == alone).mean())
