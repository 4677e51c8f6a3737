"""The models of a replica, each behind the queue that all sessions share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.batching import Batcher
from inference.models import (
    SAMPLE_RATE_HZ,
    ModelSet,
    OpinionScores,
    RecognisedWord,
    Recogniser,
    Samples,
    Stretch,
    Transcriber,
)

Work = TypeVar("Work")
Result = TypeVar("Result")
Heard = tuple[NDArray[np.float32], Any]
# What one call takes at most: more makes single calls longer and little cheaper.
LARGEST_VAD, LARGEST_ENCODER, LARGEST_QUALITY, LARGEST_DIARIZER = 32, 64, 4, 512
# A window alone costs twice what it costs among four others (measured on one core), and who speaks may be
# told so much later. Alone there is nobody to wait for.
ENCODER_WINDOW_S = 0.15
# Seconds of audio in a call of a recogniser.
LARGEST_RECOGNISER_S = 240
# Pieces of like length share a call: seconds.
LENGTH_STEP_S = 5.0


class Engine:
    """Every model call of every session goes through here. Make it on the event loop that serves."""

    def __init__(self, models: ModelSet, window_s: float = 0.0) -> None:
        """``window_s``: how long a call waits for other sessions' work; 0 where calls are short or there is one core.

        A longer window pays where a batched call costs hardly more than a single one: on a GPU.
        """
        self.models = models
        self.sessions = 0
        """Sessions open now."""
        self._threads: list[ThreadPoolExecutor] = []
        # What a session takes turns by: one listener, so that sessions do not fight for the cores.
        self.vad: Batcher[Stretch, Heard] = Batcher(
            "voice activity", self._in_thread(models.vad), largest=LARGEST_VAD, window_s=window_s
        )
        self._encoder: Batcher[Sequence[Samples], NDArray[np.float32]] = Batcher(
            "speaker vectors",
            self._in_thread(self._encode_all),
            largest=LARGEST_ENCODER,
            window_s=max(window_s, ENCODER_WINDOW_S),
            size=len,
            may_gather=lambda: self.sessions > 1,
        )
        self.quality: Batcher[Samples, OpinionScores] = Batcher(
            "audio quality", self._in_thread(models.quality), largest=LARGEST_QUALITY, window_s=window_s
        )
        self._recogniser = self._recognition(models.transcriber, window_s)
        self.diarizer: Batcher[Stretch, Heard] | None = None
        if models.diarizer is not None:
            self.diarizer = Batcher(
                "diarization", self._in_thread(models.diarizer), largest=LARGEST_DIARIZER, window_s=window_s
            )

    def batchers(self) -> list[Batcher[Any, Any]]:
        """All queues."""
        queues: list[Batcher[Any, Any] | None] = [
            self.vad,
            self._encoder,
            self.quality,
            self._recogniser,
            self.diarizer,
        ]
        return [queue for queue in queues if queue is not None]

    async def encode(self, owner: Hashable, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Vectors of a session's windows, shape (n, d); see SpeakerEncoder."""
        return await self._encoder.submit(owner, windows)

    async def transcribe(self, owner: Hashable, samples: Samples) -> tuple[RecognisedWord, ...]:
        """The words of a piece of speech. Raises TranscriptionFailed."""
        return await self._recogniser.submit(owner, samples)

    async def close(self) -> None:
        """Ends the queues, then the models."""
        for queue in self.batchers():
            await queue.close()
        for threads in self._threads:
            threads.shutdown(wait=True)
        await self.models.close()

    def _in_thread(self, call: Callable[[list[Work]], list[Result]]) -> Callable[[list[Work]], Awaitable[list[Result]]]:
        """The call on a thread of its own: a model is run by one call at a time."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._threads.append(thread)

        async def run(work: list[Work]) -> list[Result]:
            return await asyncio.get_running_loop().run_in_executor(thread, call, work)

        return run

    def _encode_all(self, work: list[Sequence[Samples]]) -> list[NDArray[np.float32]]:
        vectors = self.models.encoder([window for windows in work for window in windows])
        borders = np.cumsum([len(windows) for windows in work])[:-1]
        return np.split(vectors, borders)

    def _recognition(
        self, model: Transcriber | Recogniser, window_s: float
    ) -> Batcher[Samples, tuple[RecognisedWord, ...]]:
        if isinstance(model, Transcriber):

            async def one(work: list[Samples]) -> list[tuple[RecognisedWord, ...]]:
                return [await model.transcribe(samples) for samples in work]

            # One call more than it works on: the next piece lies ready when one is done.
            return Batcher("speech recognition", one, largest=1, parallel=model.parallel + 1)
        return Batcher(
            "speech recognition",
            self._in_thread(model),
            largest=LARGEST_RECOGNISER_S * SAMPLE_RATE_HZ,
            window_s=window_s,
            size=len,
            alike=_length_class,
        )


def _length_class(samples: Samples) -> int:
    return int(len(samples) / SAMPLE_RATE_HZ / LENGTH_STEP_S)
