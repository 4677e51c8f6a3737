"""On a track of one person several clearly different voices are told, and one reader is not, whatever its level."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.recordings import read_samples
from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from inference.stages.events import Event, ProgressEvent, TurnEvent
from tests.recordings import EVAL

pytestmark = pytest.mark.skipif(
    not (EVAL / "librispeech").is_dir(), reason="no read speech here (shared/eval/librispeech)"
)
BLOCK = 8192


@cache
def reader(place: int) -> list[NDArray[np.float32]]:
    """The utterances of one reader."""
    rows = [json.loads(line) for line in (EVAL / "librispeech" / "manifest.jsonl").read_text().splitlines()]
    speaker = sorted({row["speaker"] for row in rows})[place]
    return [read_samples(EVAL / "librispeech" / row["file"]) for row in rows if row["speaker"] == speaker]


async def heard(engine: ModelEngine, utterances: Sequence[NDArray[np.float32]]) -> list[Event]:
    pcm = np.round(np.concatenate(utterances) * 32767).astype(np.int16)
    session = Session(engine, SessionConfig(expected_speakers=1, transcribe=False, live=True))
    try:
        events = [e for start in range(0, len(pcm), BLOCK) for e in await session.push(pcm[start : start + BLOCK])]
        return events + await session.finish()
    finally:
        await session.close()


def several(events: Sequence[Event]) -> bool:
    return any(event.several_voices for event in events if isinstance(event, ProgressEvent))


async def test_two_who_take_turns_are_several_and_remain_one_speaker(engine: ModelEngine) -> None:
    taking_turns = [one for pair in zip(reader(0), reader(1), strict=False) for one in pair]
    events = await heard(engine, taking_turns)
    assert several(events)
    assert {event.speaker for event in events if isinstance(event, TurnEvent)} <= {0, 1}


async def test_one_who_moves_away_from_the_microphone_is_one(engine: ModelEngine) -> None:
    near = reader(0)
    assert not several(await heard(engine, [*near, *(one * np.float32(0.1) for one in near)]))
