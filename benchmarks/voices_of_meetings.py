"""The voices that a session tells of whole meetings, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.diarization_data import Case
from benchmarks.in_process import BLOCK_SAMPLES, as_pcm
from benchmarks.scoring import SpokenInterval
from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from inference.stages import FinishedEvent, TurnEvent


@dataclass(frozen=True, slots=True)
class DetectedVoice:
    """A speaker found in a meeting."""

    meeting: str
    speaker: str
    """Who of the truth speaks most while this one is said to."""
    share: float
    """Of the time that is said to be theirs, 0..1."""
    seconds: float
    """That this speaker is said to speak."""
    vector: NDArray[np.float32]


async def detect_voices(engine: ModelEngine, case: Case) -> list[DetectedVoice]:
    """The speakers of a meeting as an upload is heard, without words."""
    session = Session(engine, SessionConfig(transcribe=False))
    turns: list[TurnEvent] = []
    vectors = np.zeros((0, 0), np.float32)
    try:
        pcm = as_pcm(case.samples)
        for start in range(0, len(pcm), BLOCK_SAMPLES):
            await session.push(pcm[start : start + BLOCK_SAMPLES])
        for event in await session.finish():
            if isinstance(event, TurnEvent):
                turns.append(event)
            elif isinstance(event, FinishedEvent):
                vectors = event.voices.vectors
    finally:
        await session.close()
    found = []
    for number, vector in enumerate(vectors, 1):
        own = [SpokenInterval(turn.start_s, turn.end_s, "") for turn in turns if turn.speaker == number]
        seconds = sum(turn.end_s - turn.start_s for turn in own)
        with_each = {name: _together(own, case.truth, name) for name in {segment.speaker for segment in case.truth}}
        speaker = max(with_each, key=lambda name: with_each[name])
        found.append(DetectedVoice(case.name, speaker, with_each[speaker] / max(seconds, 1e-9), seconds, vector))
    return found


def _together(own: Sequence[SpokenInterval], truth: Sequence[SpokenInterval], name: str) -> float:
    """Seconds that somebody of the truth speaks within intervals."""
    return sum(
        max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s)) for a in own for b in truth if b.speaker == name
    )
