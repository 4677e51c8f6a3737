"""Nothing but speech has words: silence, noise, machines, telephones, music have none, at once or in the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.sounds import MADE, NONSPEECH, made, recorded
from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from inference.stages.events import Event, TurnEvent

SECONDS = 4.0
BLOCK_SAMPLES = 8192


def _pcm(kind: str, seconds: float = SECONDS) -> NDArray[np.int16]:
    return np.round(made(kind, seconds).samples * 32768).clip(-32768, 32767).astype(np.int16)


def _said(events: Sequence[Event]) -> list[str]:
    return [word.text for event in events if isinstance(event, TurnEvent) for word in event.words]


async def _heard(engine: ModelEngine, pcm: NDArray[np.int16], config: SessionConfig) -> list[str]:
    """Every word of every event, provisional ones too."""
    session = Session(engine, config)
    events: list[Event] = []
    try:
        for start in range(0, len(pcm), BLOCK_SAMPLES):
            events += await session.push(pcm[start : start + BLOCK_SAMPLES])
        return _said([*events, *await session.finish()])
    finally:
        await session.close()


@pytest.mark.parametrize("kind", MADE)
async def test_a_sound_without_speech_has_no_words(engine: ModelEngine, kind: str) -> None:
    assert await _heard(engine, _pcm(kind), SessionConfig()) == []


async def test_nor_while_they_follow_one_another_live(engine: ModelEngine) -> None:
    pcm = np.concatenate([_pcm(kind, 2.0) for kind in MADE])
    assert await _heard(engine, pcm, SessionConfig(live=True)) == []


async def test_terms_that_may_be_said_are_not_said_by_noise(engine: ModelEngine) -> None:
    terms = ("Meetra", "Katarzyna Wójcik", "Kubernetes", "thank you")
    pcm = np.concatenate([_pcm(kind, 2.0) for kind in MADE])
    assert await _heard(engine, pcm, SessionConfig(key_terms=terms)) == []


@pytest.mark.skipif(not NONSPEECH.is_dir(), reason=f"no recorded sounds in {NONSPEECH}")
async def test_recordings_without_speech_have_no_words(engine: ModelEngine) -> None:
    found = {}
    for sound in recorded():
        pcm = np.round(sound.samples * 32768).clip(-32768, 32767).astype(np.int16)
        found[sound.name] = await _heard(engine, pcm, SessionConfig())
    assert {name: words for name, words in found.items() if words} == {}
