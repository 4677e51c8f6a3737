"""The models of a replica, each behind the queue that all sessions share."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.batching import Batcher
from inference.models import (
    SAMPLE_RATE_HZ,
    HeardWords,
    ModelSet,
    OpinionScores,
    RecognisedWord,
    Recogniser,
    Samples,
    StreamingRecogniser,
    Stretch,
    Transcriber,
)

Work = TypeVar("Work")
Result = TypeVar("Result")
Heard = tuple[NDArray[np.float32], Any]
RECOGNITION = "speech recognition"
# What one call takes at most: more makes single calls longer and little cheaper.
LARGEST_VAD, LARGEST_ENCODER, LARGEST_QUALITY = 32, 64, 4
# A window alone costs twice what it costs among four others (measured on one core), and who speaks may be
# told so much later. Alone there is nobody to wait for.
ENCODER_WINDOW_S = 0.15
# A tenth of the weight of niceness 0. How audio sounds is told at the end; who speaks, and what, is told now.
WAITING_NICENESS = 10
# Seconds of audio in a call of a recogniser.
LARGEST_RECOGNISER_S = 240
# Sessions in a call of a streaming recogniser, a step of each.
LARGEST_STREAMED = 64
# Pieces of like length share a call: seconds.
LENGTH_STEP_S = 5.0


class _OnThread(Generic[Work, Result]):
    """A model on a thread of its own: one call at a time, and its processor time counted."""

    def __init__(self, call: Callable[[list[Work]], list[Result]], *, can_wait: bool = False) -> None:
        """``can_wait``: on a busy machine everything else goes first."""
        self._call = call
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model", initializer=_step_back if can_wait else None)
        self.processor_s = 0.0

    async def __call__(self, work: list[Work]) -> list[Result]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, work)

    def _timed(self, work: list[Work]) -> list[Result]:
        began = time.thread_time()
        try:
            return self._call(work)
        finally:
            self.processor_s += time.thread_time() - began

    def close(self) -> None:
        """Waits for the call under way."""
        self._thread.shutdown(wait=True)


def _step_back() -> None:
    """Gives this thread a tenth of the weight of others, where the system has priorities of threads.

    Not less: a meeting that ends waits for its scores, on a machine that is never idle as well.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WAITING_NICENESS)


class _InProcesses:
    """A recogniser that has processes of its own, one piece a call."""

    def __init__(self, model: Transcriber) -> None:
        self._model = model

    async def __call__(self, work: list[Samples]) -> list[tuple[RecognisedWord, ...]]:
        return [await self._model.transcribe(samples) for samples in work]

    @property
    def processor_s(self) -> float:
        return self._model.processor_s

    def close(self) -> None:
        """The model set closes it."""


class Engine:
    """Every model call of every session goes through here. Make it on the event loop that serves."""

    def __init__(self, models: ModelSet, window_s: float = 0.0) -> None:
        """``window_s``: how long a call waits for other sessions' work; 0 where calls are short or there is one core.

        A longer window pays where a batched call costs hardly more than a single one: on a GPU.
        """
        self.models = models
        self.sessions = 0
        """Sessions open now."""
        self._calls: dict[Batcher[Any, Any], _OnThread[Any, Any] | _InProcesses] = {}
        self.vad: Batcher[Stretch, Heard] = self._queue(
            "voice activity", _OnThread(models.vad), largest=LARGEST_VAD, window_s=window_s
        )
        self._encoder: Batcher[Sequence[Samples], NDArray[np.float32]] = self._queue(
            "speaker vectors",
            _OnThread(self._encode_all),
            largest=LARGEST_ENCODER,
            window_s=max(window_s, ENCODER_WINDOW_S),
            size=len,
            may_gather=lambda: self.sessions > 1,
        )
        self.quality: Batcher[Samples, OpinionScores] = self._queue(
            "audio quality", _OnThread(models.quality, can_wait=True), largest=LARGEST_QUALITY, window_s=window_s
        )
        self._recogniser: Batcher[Samples, tuple[RecognisedWord, ...]] | None = None
        self.streaming_recogniser: Batcher[Stretch, tuple[HeardWords, Any]] | None = None
        if isinstance(models.transcriber, StreamingRecogniser):
            self.streaming_recogniser = self._queue(
                RECOGNITION, _OnThread(models.transcriber), largest=LARGEST_STREAMED, window_s=window_s
            )
        else:
            self._recogniser = self._recognition(models.transcriber, window_s)
        self.diarizer: Batcher[Stretch, Heard] | None = None
        if models.diarizer is not None:
            self.diarizer = self._queue(
                "diarization", _OnThread(models.diarizer), largest=models.diarizer.sessions_a_pass, window_s=window_s
            )

    async def encode(self, owner: Hashable, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Vectors of a session's windows, shape (n, d); see SpeakerEncoder."""
        return await self._encoder.submit(owner, windows)

    async def transcribe(
        self, owner: Hashable, samples: Samples, patience_s: float = 0.0
    ) -> tuple[RecognisedWord, ...]:
        """The words of a piece of speech, by a recogniser of pieces. Raises TranscriptionFailed.

        ``patience_s``: see ``Batcher.submit``.
        """
        assert self._recogniser is not None
        return await self._recogniser.submit(owner, samples, patience_s)

    def hurry_words(self, owner: Hashable) -> None:
        """The session's speech that waits for its words is due now."""
        assert self._recogniser is not None
        self._recogniser.hurry(owner)

    def statistics(self) -> list[tuple[Batcher[Any, Any], float]]:
        """Each queue, with the processor time of its model so far, seconds."""
        return [(queue, call.processor_s) for queue, call in self._calls.items()]

    async def close(self) -> None:
        """Ends the queues, then the models."""
        for queue, call in self._calls.items():
            await queue.close()
            call.close()
        await self.models.close()

    def _queue(self, task: str, call: Any, **settings: Any) -> Batcher[Any, Any]:
        queue: Batcher[Any, Any] = Batcher(task, call, **settings)
        self._calls[queue] = call
        return queue

    def _encode_all(self, work: list[Sequence[Samples]]) -> list[NDArray[np.float32]]:
        vectors = self.models.encoder([window for windows in work for window in windows])
        borders = np.cumsum([len(windows) for windows in work])[:-1]
        return np.split(vectors, borders)

    def _recognition(
        self, model: Transcriber | Recogniser, window_s: float
    ) -> Batcher[Samples, tuple[RecognisedWord, ...]]:
        if isinstance(model, Transcriber):
            # One call more than it works on: the next piece lies ready when one is done.
            return self._queue(RECOGNITION, _InProcesses(model), largest=1, parallel=model.parallel + 1)
        return self._queue(
            RECOGNITION,
            _OnThread(model),
            largest=LARGEST_RECOGNISER_S * SAMPLE_RATE_HZ,
            window_s=window_s,
            size=len,
            alike=_length_class,
        )


def _length_class(samples: Samples) -> int:
    return int(len(samples) / SAMPLE_RATE_HZ / LENGTH_STEP_S)
