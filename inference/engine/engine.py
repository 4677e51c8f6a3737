"""The models of a replica, each behind a queue shared by all sessions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine.batching import Batcher
from inference.engine.live_waits import LiveWaits
from inference.engine.model_threads import MultiThreadModel, ProcessorTimeSplit, SingleThreadModel
from inference.engine.room import Room
from inference.engine.turns import Turns
from inference.models import (
    SAMPLE_RATE_HZ,
    EncodedWindow,
    ModelSet,
    OpinionScores,
    ProvisionalWords,
    RecognisedWord,
    Samples,
    StreamedWords,
    StreamingRecogniser,
    StreamInput,
    WindowRecogniser,
    WindowTask,
)

StreamOutput = tuple[NDArray[np.float32], Any]
RECOGNITION, PROVISIONAL_WORDS = "speech recognition", "provisional words"
# Maximum batch sizes: larger ones make calls longer and hardly cheaper.
MAX_VAD, MAX_ENCODER, MAX_QUALITY, MAX_SEGMENTER = 32, 64, 4, 4
# A window alone costs twice as much as among four others (measured on one core), and speakers may be reported this much
# later, seconds. A single session does not wait.
ENCODER_WINDOW_S = 0.15
# How long a diarizer's call on a GPU waits for other sessions' chunks, seconds: little of a latency of a second, and a
# pass of many rows takes hardly longer than one of few.
GPU_WINDOW_S = 0.04
# Audio in a recogniser's call, seconds.
MAX_RECOGNISER_S = 240
# Sessions in a streaming recogniser's call, one step each.
MAX_STREAMED_SESSIONS = 64
# Chunks in a provisional call: more would lengthen the wait of the others.
MAX_PROVISIONAL_CHUNKS = 4
# How many times as long as other work that may wait which gives way to all of it: windows of final words, and audio
# quality.
LOW_PRIORITY_ALLOWANCE = 4.0
# Chunks of similar length share a call: width of a length class, seconds.
LENGTH_STEP_S = 5.0


class ModelEngine:
    """Runs every model call of every session. Create it on the serving event loop."""

    def __init__(self, models: ModelSet, window_s: float | None = None) -> None:
        """
        Args:
            models: the models to run.
            window_s: how long calls wait for other sessions' work, seconds. A longer window pays where a batched call
                costs hardly more than a single one: on a GPU. None: GPU_WINDOW_S for a diarizer on one, else 0.
        """
        self.models = models
        diarizer_window_s = window_s
        if window_s is None:
            window_s = 0.0
            diarizer_window_s = GPU_WINDOW_S if models.diarizer and models.diarizer.on_gpu else 0.0
        self.sessions = 0
        """Number of open sessions."""
        self._room = Room()
        self._live_waits: dict[Batcher[Any, Any], LiveWaits] = {}
        self._calls: dict[Batcher[Any, Any], SingleThreadModel[Any, Any] | MultiThreadModel[Any, Any]] = {}
        self.vad: Batcher[StreamInput, StreamOutput] = self._queue(
            "voice activity", SingleThreadModel(models.vad), max_size=MAX_VAD, window_s=window_s
        )
        self._encoder: Batcher[Sequence[Samples], NDArray[np.float32]] = self._queue(
            "speaker vectors",
            SingleThreadModel(self._encode_all),
            max_size=MAX_ENCODER,
            window_s=max(window_s, ENCODER_WINDOW_S),
            size=len,
            may_gather=lambda: self.sessions > 1,
        )
        self.quality: Batcher[Samples, OpinionScores] = self._queue(
            "audio quality",
            SingleThreadModel(models.quality, low_priority=True),
            max_size=MAX_QUALITY,
            window_s=window_s,
            allowance=LOW_PRIORITY_ALLOWANCE,
        )
        self._recogniser: Batcher[Samples, tuple[RecognisedWord, ...]] | None = None
        self._windows: Batcher[Any, Any] | None = None
        self._provisional: Batcher[WindowTask[Samples], ProvisionalWords] | None = None
        self.streaming_recogniser: Batcher[StreamInput, tuple[StreamedWords, Any]] | None = None
        model = models.recogniser
        if isinstance(model, StreamingRecogniser):
            self.streaming_recogniser = self._queue(
                RECOGNITION, SingleThreadModel(model), max_size=MAX_STREAMED_SESSIONS, window_s=window_s
            )
        elif isinstance(model, WindowRecogniser):
            self._queue_windows(model, window_s)
        else:
            self._recogniser = self._queue(
                RECOGNITION,
                SingleThreadModel(model),
                max_size=MAX_RECOGNISER_S * SAMPLE_RATE_HZ,
                window_s=window_s,
                size=len,
                group_of=_length_class,
            )
        self.diarizer: Batcher[StreamInput, StreamOutput] | None = None
        if models.diarizer is not None:
            self.diarizer = self._queue(
                "diarization",
                _threads_for(models.diarizer, models.diarizer.calls_at_once),
                max_size=models.diarizer.sessions_per_pass,
                parallel=models.diarizer.calls_at_once,
                window_s=diarizer_window_s,
                may_gather=lambda: self.sessions > 1,
            )

        self.segmenter: Batcher[Samples, NDArray[np.float32]] | None = None
        if models.segmenter is not None:
            self.segmenter = self._queue(
                "voice segmentation", SingleThreadModel(models.segmenter), max_size=MAX_SEGMENTER, window_s=window_s
            )

    async def encode(self, owner: Hashable, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Embed windows of speech.

        Args:
            owner: the session.
            windows: each of shape (n,), 16 kHz; lengths may differ.

        Returns:
            Embeddings, shape (windows, d), unit length.
        """
        return await self._encoder.submit(owner, windows)

    async def transcribe(
        self, owner: Hashable, samples: Samples, patience_s: float = 0.0
    ) -> tuple[RecognisedWord, ...]:
        """Return the words of a chunk of speech; for a chunk recogniser.

        Args:
            owner: the session.
            samples: shape (n,), n > 0, at most the recogniser's ``max_chunk_s``.
            patience_s: see ``Batcher.submit``.
        """
        assert self._recogniser is not None
        return await self._recogniser.submit(owner, samples, patience_s)

    async def encode_window(self, owner: Hashable, samples: Samples) -> EncodedWindow:
        """Encode a window, shape (n,), 0 < n <= ``max_window_s``; for a window recogniser."""
        assert self._windows is not None
        encoded: EncodedWindow = await self._windows.submit(owner, samples)
        return encoded

    async def decode_window(self, owner: Hashable, task: WindowTask[EncodedWindow]) -> tuple[RecognisedWord, ...]:
        """Return the final words of an encoded window."""
        assert self._windows is not None
        words: tuple[RecognisedWord, ...] = await self._windows.submit(owner, task)
        return words

    async def recognise_provisional(
        self, owner: Hashable, task: WindowTask[Samples], patience_s: float = 0.0
    ) -> ProvisionalWords:
        """Return the provisional words of a chunk; ``patience_s``: see ``Batcher.submit``."""
        assert self._provisional is not None
        return await self._provisional.submit(owner, task, patience_s)

    def expedite_words(self, owner: Hashable) -> None:
        """Make the session's chunks that wait for first words due now."""
        for queue in (self._recogniser, self._provisional):
            if queue is not None:
                queue.expedite(owner)

    def statistics(self) -> list[tuple[Batcher[Any, Any], float]]:
        """Return each queue with its model's processor time so far, seconds."""
        return [(queue, call.processor_s) for queue, call in self._calls.items()]

    def live_lags(self) -> dict[str, float]:
        """Return how late the work of live sessions begins, seconds: of each organization, at the model where most.

        In the median of its sessions that had work for that model in the last seconds. Work that gives way to other
        work counts divided by ``LOW_PRIORITY_ALLOWANCE``.
        """
        lags: dict[str, float] = {}
        for queue, waits in self._live_waits.items():
            for organization, late_s in waits.by_organization(queue.overdue()).items():
                lags[organization] = max(late_s, lags.get(organization, 0.0))
        return lags

    async def close(self) -> None:
        """Close all queues and the models' threads."""
        for queue, call in self._calls.items():
            await queue.close()
            call.close()

    def _queue(self, task: str, call: Any, *, allowance: float = 1.0, **settings: Any) -> Batcher[Any, Any]:
        waits = LiveWaits(allowance)
        turns = Turns(_organization, _is_bulk, self._room)
        queue: Batcher[Any, Any] = Batcher(task, call, turns=turns, on_begin=waits.note, **settings)
        self._calls[queue], self._live_waits[queue] = call, waits
        return queue

    def _encode_all(self, work: list[Sequence[Samples]]) -> list[NDArray[np.float32]]:
        vectors = self.models.encoder([window for windows in work for window in windows])
        borders = np.cumsum([len(windows) for windows in work])[:-1]
        return np.split(vectors, borders)

    def _queue_windows(self, model: WindowRecogniser, window_s: float) -> None:
        """Queue windows one a call, to be encoded or decoded; provisional chunks share calls."""

        def encode_or_decode(work: list[Any]) -> list[Any]:
            (item,) = work
            return model.decode([item]) if isinstance(item, WindowTask) else model.encode([item])

        time_split = ProcessorTimeSplit(lambda: model.processor_s)
        self._windows = self._queue(
            RECOGNITION,
            MultiThreadModel(encode_or_decode, model.parallel, time_split),
            max_size=1,
            parallel=model.parallel,
            allowance=LOW_PRIORITY_ALLOWANCE,
        )
        self._provisional = self._queue(
            PROVISIONAL_WORDS,
            MultiThreadModel(model.recognise_provisional, 1, time_split),
            max_size=MAX_PROVISIONAL_CHUNKS,
            window_s=window_s,
            group_of=lambda task: bool(task.language),
        )


def _threads_for(model: Any, calls_at_once: int) -> SingleThreadModel[Any, Any] | MultiThreadModel[Any, Any]:
    """Return threads for a model without threads of its own."""
    if calls_at_once == 1:
        return SingleThreadModel(model)
    return MultiThreadModel(model, calls_at_once, ProcessorTimeSplit(lambda: 0.0))


def _organization(session: Hashable) -> Hashable:
    """Return the organization of a session; the session's own number where it has none, which holds no session."""
    return getattr(session, "organization", "") or id(session)


def _is_bulk(session: Hashable) -> bool:
    """Return whether a session's work is bulk work; not where it does not say."""
    return getattr(session, "bulk", False)


def _length_class(samples: Samples) -> int:
    return int(len(samples) / SAMPLE_RATE_HZ / LENGTH_STEP_S)
