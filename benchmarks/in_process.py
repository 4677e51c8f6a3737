"""What the engine hears in recordings, in this process: no server around it, and no waiting for the audio to come."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ, Samples
from benchmarks.scoring import equal_word_pairs, folded_words
from inference.engine import ModelEngine
from inference.models import RecognisedWord
from inference.selection import load_default_models
from inference.session import Session, SessionConfig
from inference.stages import TurnEvent

BLOCK_SAMPLES = 10 * RATE_HZ


@asynccontextmanager
async def default_engine() -> AsyncIterator[ModelEngine]:
    """The default models, a window on each processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    engine = ModelEngine(load_default_models(threads=1, recogniser_workers=cores))
    try:
        yield engine
    finally:
        await engine.close()


def as_pcm(samples: Samples) -> NDArray[np.int16]:
    """s16 of float32 in -1..1."""
    return np.round(samples * 32768).clip(-32768, 32767).astype(np.int16)


async def recognise_words(
    engine: ModelEngine, blocks: Iterable[NDArray[np.int16]], config: SessionConfig | None = None
) -> list[RecognisedWord]:
    """The final words of one session, in the order of time; ``blocks``: its audio, s16 mono at 16 kHz."""
    session = Session(engine, config or SessionConfig())
    words: list[RecognisedWord] = []
    try:
        for block in blocks:
            for start in range(0, len(block), BLOCK_SAMPLES):
                await session.push(block[start : start + BLOCK_SAMPLES])
        for event in await session.finish():
            if isinstance(event, TurnEvent):
                words += event.words
    finally:
        await session.close()
    return sorted(words, key=lambda word: (word.start_s, word.end_s))


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A recognised word, and which words of the reference it is."""

    word: RecognisedWord
    reference: tuple[int, ...]
    """Places of the words of the reference it was aligned with and is equal to; empty where it is wrong."""


def align_words(reference: Sequence[str], words: Sequence[RecognisedWord], language: str = "") -> list[AlignedWord]:
    """Each word that spells anything, beside the reference (as ``folded_words`` gives it)."""
    tokens = [folded_words(word.text, language) for word in words]
    owners = [number for number, own in enumerate(tokens) for _ in own]
    right: dict[int, list[int]] = {}
    for reference_index, word_index in equal_word_pairs(reference, [token for own in tokens for token in own]):
        right.setdefault(owners[word_index], []).append(reference_index)
    return [
        AlignedWord(word, tuple(right.get(number, ())) if len(right.get(number, ())) == len(own) else ())
        for number, (word, own) in enumerate(zip(words, tokens, strict=True))
        if own
    ]
