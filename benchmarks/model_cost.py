"""What the models alone cost: their own processor time on some audio, without anything around them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.default_backend import load_default_models
from inference.engine import Engine
from inference.models import ModelSet, RecognisedWord, Samples, Transcriber
from inference.session import Session, SessionConfig
from inference.sphinx import decoder_process

BLOCK_SAMPLES = 16_000


@dataclass
class ModelSeconds:
    """Processor seconds inside each model."""

    spent: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, its time counted under ``name``."""

        def measured(*arguments: Any) -> Any:
            start = time.thread_time()
            try:
                return call(*arguments)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() - start

        return measured

    @property
    def total(self) -> float:
        """Of all models."""
        return sum(self.spent.values())


class _InProcessSphinx:
    """The recogniser in this process, so that its time can be counted."""

    languages: tuple[str, ...] = ("en",)
    parallel = 1
    processor_s = 0.0

    def __init__(self, seconds: ModelSeconds, max_segment_s: float) -> None:
        self.max_segment_s = max_segment_s
        self._recognise = seconds.timed("speech recognition", decoder_process.recognise)

    async def transcribe(self, samples: Samples) -> tuple[RecognisedWord, ...]:
        pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        return tuple(RecognisedWord(*word) for word in self._recognise(pcm))


def _counted(models: ModelSet, seconds: ModelSeconds) -> ModelSet:
    class Counted:
        """A model whose calls are counted; everything else is the model's own."""

        def __init__(self, model: Any, name: str) -> None:
            self._model, self._call = model, seconds.timed(name, model)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._model, name)

        def __call__(self, *arguments: Any) -> Any:
            return self._call(*arguments)

    decoder_process.load()
    assert isinstance(models.transcriber, Transcriber)
    counted: dict[str, Any] = {
        "vad": Counted(models.vad, "voice activity"),
        "encoder": Counted(models.encoder, "speaker vectors"),
        "quality": Counted(models.quality, "speech quality"),
    }
    return replace(
        models,
        **counted,
        transcriber=_InProcessSphinx(seconds, models.transcriber.max_segment_s),
    )


async def model_seconds(pcm: NDArray[np.int16], *, live: bool) -> ModelSeconds:
    """Processor seconds that the models need for the audio (s16 mono at 16 kHz), one thread each.

    ``live``: as a live meeting asks for it, which has voices told as they come, window by window.
    """
    models = load_default_models(threads=1, transcriber_processes=1)
    seconds = ModelSeconds()
    engine = Engine(_counted(models, seconds))
    try:
        session = Session(engine, SessionConfig(live=live))
        try:
            for start in range(0, len(pcm), BLOCK_SAMPLES):
                await session.push(pcm[start : start + BLOCK_SAMPLES])
            await session.finish()
        finally:
            await session.close()
    finally:
        await engine.close()
    return seconds


def measured(pcm: NDArray[np.int16], *, live: bool = False) -> ModelSeconds:
    """The same, from outside of any event loop."""
    return asyncio.run(model_seconds(pcm, live=live))
