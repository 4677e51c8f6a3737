"""What the models alone cost: their own processor time on some audio, without anything around them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine import PROVISIONAL_WORDS, RECOGNITION, ModelEngine
from inference.linear_algebra_threads import use_one_thread
from inference.models import (
    EncodedWindow,
    ModelSet,
    ProvisionalWords,
    RecognisedWord,
    Samples,
    WindowRecogniser,
    WindowTask,
)
from inference.process_memory import keep_freed_blocks
from inference.selection import load_default_models
from inference.session import Session, SessionConfig

BLOCK_SAMPLES = 16_000


@dataclass
class ModelSeconds:
    """Processor seconds inside each model."""

    spent: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, call: Callable[..., Any], own_threads_s: Callable[[], float] = float) -> Any:
        """The call, its time counted under ``name``.

        ``own_threads_s``: processor seconds so far of threads that the model itself started.
        """

        def measured(*arguments: Any) -> Any:
            start = time.thread_time() + own_threads_s()
            try:
                return call(*arguments)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() + own_threads_s() - start

        return measured

    @property
    def total(self) -> float:
        """Of all models."""
        return sum(self.spent.values())


class _CountedRecogniser:
    """A recogniser of windows whose calls are counted by what they are for."""

    parallel = 1

    def __init__(self, model: WindowRecogniser, seconds: ModelSeconds) -> None:
        self.languages, self.word_times = model.languages, model.word_times
        self.max_window_s, self.max_provisional_s = model.max_window_s, model.max_provisional_s
        self.uses_key_terms = model.uses_key_terms
        self._model = model
        # One call at a time: only so is it known which of them the model's threads worked for.
        self._turn = threading.Lock()
        self._encode = seconds.timed(RECOGNITION, model.encode, lambda: model.processor_s)
        self._decode = seconds.timed(RECOGNITION, model.decode, lambda: model.processor_s)
        self._recognise_provisional = seconds.timed(
            PROVISIONAL_WORDS, model.recognise_provisional, lambda: model.processor_s
        )

    @property
    def processor_s(self) -> float:
        return self._model.processor_s

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        with self._turn:
            return list(self._encode(windows))

    def decode(self, work: Sequence[WindowTask[EncodedWindow]]) -> list[tuple[RecognisedWord, ...]]:
        with self._turn:
            return list(self._decode(work))

    def recognise_provisional(self, work: Sequence[WindowTask[Samples]]) -> list[ProvisionalWords]:
        with self._turn:
            return list(self._recognise_provisional(work))


def _counted(models: ModelSet, seconds: ModelSeconds) -> ModelSet:
    class Counted:
        """A model whose calls are counted; everything else is the model's own."""

        def __init__(self, model: Any, name: str) -> None:
            self._model, self._call = model, seconds.timed(name, model)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._model, name)

        def __call__(self, *arguments: Any) -> Any:
            return self._call(*arguments)

    assert isinstance(models.recogniser, WindowRecogniser)
    counted: dict[str, Any] = {
        "vad": Counted(models.vad, "voice activity"),
        "encoder": Counted(models.encoder, "speaker vectors"),
        "segmenter": Counted(models.segmenter, "voice segmentation"),
        "quality": Counted(models.quality, "speech quality"),
    }
    return replace(models, **counted, recogniser=_CountedRecogniser(models.recogniser, seconds))


async def model_seconds(pcm: NDArray[np.int16], *, live: bool) -> ModelSeconds:
    """Processor seconds that the models need for the audio (s16 mono at 16 kHz), one thread each.

    ``live``: as a live meeting asks for it, which has voices and words told as they come.
    """
    models = load_default_models(threads=1, recogniser_workers=1)
    seconds = ModelSeconds()
    engine = ModelEngine(_counted(models, seconds))
    try:
        session = Session(engine, SessionConfig(live=live))
        try:
            for start in range(0, len(pcm), BLOCK_SAMPLES):
                await session.push(pcm[start : start + BLOCK_SAMPLES])
                if live:
                    await _wait_until_idle(engine)
            await session.finish()
        finally:
            await session.close()
    finally:
        await engine.close()
    return seconds


async def _wait_until_idle(engine: ModelEngine) -> None:
    """Waits until no work waits for a model: in real time one meeting alone never has two pieces in a call."""
    while any(queue.waiting for queue, _ in engine.statistics()):
        await asyncio.sleep(0.001)


def measured(pcm: NDArray[np.int16], *, live: bool = False) -> ModelSeconds:
    """The same, from outside of any event loop, with memory and threads as the inference server has them."""
    keep_freed_blocks()
    use_one_thread()
    return asyncio.run(model_seconds(pcm, live=live))
