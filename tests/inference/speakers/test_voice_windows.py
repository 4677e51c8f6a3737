"""Several speakers at once, by the real models: the same live and uploaded, whatever pieces the audio comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import ModelEngine
from inference.models import ModelSet, Samples
from inference.session import Session, SessionConfig
from inference.stages.events import Event, TurnEvent, TurnState
from tests.recordings import RATE_HZ, solo

# One speaks from 0.5 to 10.5 s, another from 8.5 to 18.5 s: two seconds of both.
ONE_S, OTHER_S, LENGTH_S = (0.5, 10.5), (8.5, 18.5), 20.0


def both_at_once() -> NDArray[np.int16]:
    samples = np.zeros(int(LENGTH_S * RATE_HZ), np.int32)
    for voice, (start_s, end_s) in (("rms", ONE_S), ("slt", OTHER_S)):
        span = slice(int(start_s * RATE_HZ), int(end_s * RATE_HZ))
        samples[span] += solo(voice)[: span.stop - span.start]
    return np.clip(samples, -32768, 32767).astype(np.int16)


MIXED = both_at_once()


async def run(engine: ModelEngine, chunk: int, **known: object) -> list[Event]:
    session = Session(engine, SessionConfig(**known))  # type: ignore[arg-type]
    said: list[Event] = []
    try:
        for start in range(0, len(MIXED), chunk):
            said += await session.push(MIXED[start : start + chunk])
        return said + await session.finish()
    finally:
        await session.close()


def final_turns(events: list[Event]) -> list[TurnEvent]:
    return [e for e in events if isinstance(e, TurnEvent) and e.state is TurnState.FINAL]


def both_s(turns: list[TurnEvent]) -> list[tuple[float, float]]:
    """Where turns of two speakers overlap."""
    spans = [
        (max(a.start_s, b.start_s), min(a.end_s, b.end_s))
        for i, a in enumerate(turns)
        for b in turns[i + 1 :]
        if a.speaker != b.speaker
    ]
    return sorted((start, end) for start, end in spans if end > start)


async def test_two_who_speak_at_once_are_both_told(engine: ModelEngine) -> None:
    turns = final_turns(await run(engine, RATE_HZ))
    assert {turn.speaker for turn in turns} == {1, 2}
    overlaps = both_s(turns)
    assert sum(end - start for start, end in overlaps) == pytest.approx(2.0, abs=0.8)
    assert all(8.2 < start < end < 10.8 for start, end in overlaps)
    words = [word for turn in turns for word in turn.words]
    assert len(words) == len({(word.text, word.start_s) for word in words}), "nothing is said twice"


async def test_live_ends_as_an_upload_whatever_pieces_it_comes_in(engine: ModelEngine) -> None:
    uploaded = [replace(turn, revision=0) for turn in final_turns(await run(engine, RATE_HZ))]
    for chunk in (3_200, 7_777):
        live = await run(engine, chunk, live=True)
        assert [replace(turn, revision=0) for turn in final_turns(live)] == uploaded


async def test_both_are_told_while_the_meeting_goes_on(engine: ModelEngine) -> None:
    session = Session(engine, SessionConfig(live=True))
    shown: dict[int, TurnEvent] = {}
    try:
        for start in range(0, len(MIXED), 3_200):
            for event in [*await session.push(MIXED[start : start + 3_200]), *await session.poll()]:
                if isinstance(event, TurnEvent):
                    shown[event.segment_id] = event
        before_the_end = [turn for turn in shown.values() if turn.state is not TurnState.RETRACTED]
    finally:
        await session.close()
    overlaps = both_s(before_the_end)
    assert sum(end - start for start, end in overlaps) == pytest.approx(2.0, abs=1.2)


async def test_who_is_alone_on_a_track_speaks_beside_nobody(engine: ModelEngine) -> None:
    turns = final_turns(await run(engine, RATE_HZ, expected_speakers=1))
    assert {turn.speaker for turn in turns} == {1}
    assert both_s(turns) == []
    starts = [turn.start_s for turn in turns]
    assert starts == sorted(starts)


class Failing:
    """A VoiceSegmenter that fails on loud windows."""

    def __init__(self, models: ModelSet) -> None:
        assert models.segmenter is not None
        self._own = models.segmenter
        self.window_samples, self.frames = self._own.window_samples, self._own.frames
        self.frame_samples, self.first_frame_samples = self._own.frame_samples, self._own.first_frame_samples

    def __call__(self, windows: Sequence[Samples]) -> list[NDArray[np.float32]]:
        if any(np.abs(window).max() > 0.01 for window in windows):
            raise RuntimeError("a window that cannot be heard")
        return self._own(windows)


async def test_a_window_that_fails_ends_its_session_alone(models: ModelSet) -> None:
    own = ModelEngine(replace(models, segmenter=Failing(models)))
    try:
        with pytest.raises(RuntimeError, match="cannot be heard"):
            await run(own, RATE_HZ)
        quiet = Session(own, SessionConfig())
        await quiet.push(np.zeros(12 * RATE_HZ, np.int16))
        assert await quiet.finish()
        await quiet.close()
    finally:
        await own.close()
