"""Sessions on an engine that tells frames: the sample meeting with the frames of its own truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.scoring import SpokenInterval, diarization_error_rate, read_rttm
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, StreamInput
from inference.session import Session, SessionConfig
from inference.speakers.frame_activity import FrameActivity
from inference.speakers.framed_speakers import FramedSpeakers
from inference.stages.audio_buffer import AudioBuffer
from inference.stages.events import Event, FinishedEvent, ProgressEvent, TurnEvent, TurnState
from tests.recordings import sample_pcm

TRUTH = read_rttm(Path("sample/meeting.rttm"))
SECONDS = 60
FRAME_S = 0.08
PCM = sample_pcm()[: SECONDS * SAMPLE_RATE_HZ]


class TruthDiarizer:
    """A FrameDiarizer that tells the truth about the sample meeting, a second late. Its state is where it stands."""

    frame_samples = round(FRAME_S * SAMPLE_RATE_HZ)
    latency_samples = SAMPLE_RATE_HZ
    max_speakers = 4
    sessions_per_pass = 8
    calls_at_once = 1
    on_gpu = False

    def __init__(self, truth: Sequence[SpokenInterval]) -> None:
        names = list(dict.fromkeys(interval.speaker for interval in sorted(truth)))
        self.frames = np.full((10_000, self.max_speakers), 0.02, np.float32)
        for interval in truth:
            first, last = round(interval.start_s / FRAME_S), round(interval.end_s / FRAME_S)
            self.frames[first:last, names.index(interval.speaker)] = 0.97

    def initial_state(self) -> tuple[int, int]:
        return 0, 0

    def needed_samples(self, state: tuple[int, int]) -> int:
        return 8 * self.frame_samples

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        answers = []
        for stretch in work:
            heard, told = stretch.state
            heard += len(stretch.samples)
            known = -(-heard // self.frame_samples) if stretch.last else (heard - self.latency_samples) // 1280
            known = max(told, known)
            answers.append((self.frames[told:known], (heard, known)))
        return answers


# Where the second half of each of three turns is spoken over by the one before.
OVERLAPPING = [
    *TRUTH,
    *(SpokenInterval((b.start_s + b.end_s) / 2, b.end_s, a.speaker) for a, b in pairwise(TRUTH[:4])),
]


@pytest.fixture(scope="module")
async def framed(engine: ModelEngine) -> AsyncIterator[ModelEngine]:
    truthful = ModelEngine(replace(engine.models, diarizer=TruthDiarizer(OVERLAPPING)))
    yield truthful
    await truthful.close()


async def run(engine: ModelEngine, chunk: int, *, live: bool, words: bool = True) -> list[Event]:
    session = Session(engine, SessionConfig(live=live, transcribe=words))
    said: list[Event] = []
    try:
        for start in range(0, len(PCM), chunk):
            said += await session.push(PCM[start : start + chunk])
            # Live, audio never runs far ahead of the words.
            while live and start - session.processed_samples() > 9 * SAMPLE_RATE_HZ:
                await session.changed.wait()
                said += await session.poll()
        return said + await session.finish()
    finally:
        await session.close()


def final(said: Sequence[Event]) -> list[TurnEvent]:
    return [replace(e, revision=0) for e in said if isinstance(e, TurnEvent) and e.state is TurnState.FINAL]


@pytest.fixture(scope="module")
async def uploaded(framed: ModelEngine) -> list[Event]:
    return await run(framed, SAMPLE_RATE_HZ, live=False)


async def test_the_turns_are_those_of_the_frames_and_overlap_where_they_do(uploaded: list[Event]) -> None:
    turns = final(uploaded)
    found = [SpokenInterval(t.start_s, t.end_s, str(t.speaker)) for t in turns]
    truth = [t._replace(end_s=min(t.end_s, SECONDS)) for t in OVERLAPPING if t.start_s < SECONDS]
    assert diarization_error_rate(truth, found, SECONDS, 0.1) < 1.0
    assert sum(a.end_s > b.start_s for a, b in pairwise(turns)) >= 3
    assert len({turn.segment_id for turn in turns}) == len(turns)
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)


async def test_every_word_is_told_once_and_in_a_turn_that_is_near(uploaded: list[Event], engine: ModelEngine) -> None:
    turns = final(uploaded)
    placed = sorted((w.start_s, w.text) for turn in turns for w in turn.words)
    clustered = final(await run(engine, SAMPLE_RATE_HZ, live=False))
    assert placed == sorted((w.start_s, w.text) for turn in clustered for w in turn.words)
    near = [turn.start_s - 0.5 <= w.start_s and w.end_s <= turn.end_s + 0.5 for turn in turns for w in turn.words]
    assert np.mean(near) > 0.97


async def test_live_ends_as_uploaded_however_audio_comes(framed: ModelEngine, uploaded: list[Event]) -> None:
    live = await run(framed, 1600, live=True)
    assert final(live) == final(uploaded)
    assert final(await run(framed, 7777, live=False)) == final(uploaded)
    (a,), (b,) = ([e for e in said if isinstance(e, FinishedEvent)] for said in (live, uploaded))
    assert np.array_equal(a.voices.vectors, b.voices.vectors)
    assert np.allclose(np.linalg.norm(a.voices.vectors, axis=1), 1, atol=1e-4), "every speaker has a vector"


async def test_live_turns_are_soon_settle_and_keep_their_speaker(framed: ModelEngine) -> None:
    said = await run(framed, 1600, live=True)
    heard = 0.0
    first: dict[int, float] = {}
    stable: dict[int, TurnEvent] = {}
    speakers: dict[int, set[int]] = {}
    ends = {turn.segment_id: turn for turn in final(said)}
    words_final_s = 0.0
    for event in said:
        if isinstance(event, ProgressEvent):
            heard = event.heard_samples / SAMPLE_RATE_HZ
            words_final_s = event.final_words_samples / SAMPLE_RATE_HZ
        elif isinstance(event, TurnEvent):
            speakers.setdefault(event.segment_id, set()).add(event.speaker)
            settled = [word for word in event.words if word.end_s <= words_final_s]
            assert set(settled) <= set(ends[event.segment_id].words), "final words stay"
            if event.state is TurnState.PARTIAL:
                first.setdefault(event.segment_id, heard - event.start_s)
            elif event.state is TurnState.STABLE:
                stable.setdefault(event.segment_id, event)
    assert all(len(found) == 1 for found in speakers.values()), "a frame told is never revised"
    assert set(first) <= set(ends)
    assert max(first.values()) < 1.5
    assert len(stable) > len(ends) / 2
    revisions = [e.revision for e in said if isinstance(e, TurnEvent) and e.segment_id == min(ends)]
    assert revisions == list(range(1, len(revisions) + 1))


async def test_words_that_are_replaced_are_taken_back(framed: ModelEngine) -> None:
    speakers = FramedSpeakers(framed, None, live=True)
    audio = AudioBuffer()
    audio.append((PCM[: 8 * SAMPLE_RATE_HZ] / 32768).astype(np.float32))
    await speakers.advance(audio, audio.end)
    told: dict[int, TurnEvent] = {}

    async def said(words: Sequence[RecognisedWord]) -> list[str]:
        speakers.set_words(0, words, complete=True)
        for turn in await speakers.changed_turns(6.0):
            assert turn.revision == (told[turn.segment_id].revision + 1 if turn.segment_id in told else 1)
            told[turn.segment_id] = turn
        return [word.text for turn in sorted(told.values(), key=lambda turn: turn.start_s) for word in turn.words]

    def word(text: str, start_s: float) -> RecognisedWord:
        return RecognisedWord(text, start_s, start_s + 0.3, 0.5)

    first = [word("good", 1.0), word("warning", 1.4), word("everyone", 2.0)]
    assert await said(first) == ["good", "warning", "everyone"]
    revision = max(turn.revision for turn in told.values())
    assert await said(first) == ["good", "warning", "everyone"]
    assert max(turn.revision for turn in told.values()) == revision, "nothing changed"
    assert await said([first[0], word("morning", 1.4), first[2]]) == ["good", "morning", "everyone"]
    # One that is further on than the frames is not told yet, and is taken back before it was.
    assert await said([first[0], word("later", 30.0)]) == ["good"]
    assert await said([first[0]]) == ["good"]
    assert not speakers._unassigned
    assert await said([]) == []


async def test_one_who_speaks_for_a_frame_is_nobody_and_a_short_pause_ends_nothing() -> None:
    frames = np.zeros((20, 2), np.float32)
    frames[2, 1] = 0.9  # one frame
    frames[5:8, 0] = frames[9:12, 0] = 0.9  # a pause of one frame
    activity = FrameActivity(FRAME_S, 2)
    for frame in frames:
        activity.push(frame[None])
    activity.finish()
    (only,) = activity.spans
    assert (only.speaker, only.start, only.end, only.closed) == (1, 5, 12, True)
    assert activity.single_speaker_spans(0) == [(1, 5, 8), (1, 9, 12)]


async def test_silence_has_no_speakers(framed: ModelEngine) -> None:
    silent = ModelEngine(replace(framed.models, diarizer=TruthDiarizer([])))
    session = Session(silent, SessionConfig())
    await session.push(np.zeros(3 * SAMPLE_RATE_HZ, np.int16))
    (end,) = await session.finish()
    await session.close()
    assert isinstance(end, FinishedEvent)
    assert (end.total_samples, len(end.voices.vectors)) == (3 * SAMPLE_RATE_HZ, 0)


async def test_a_flush_ends_the_turns_that_are_known_and_changes_nothing_of_the_end(framed: ModelEngine) -> None:
    plain = Session(framed, SessionConfig(transcribe=False))
    flushed = Session(framed, SessionConfig(transcribe=False, live=True))
    pcm = PCM[: 20 * SAMPLE_RATE_HZ]
    for start in range(0, len(pcm), 3 * SAMPLE_RATE_HZ + 7):
        for session in (plain, flushed):
            await session.push(pcm[start : start + 3 * SAMPLE_RATE_HZ + 7])
        events = await flushed.flush()
        told = [event for event in events if isinstance(event, TurnEvent)]
        assert {turn.state for turn in told} <= {TurnState.STABLE}
    ends = []
    for session in (plain, flushed):
        turns = [event for event in await session.finish() if isinstance(event, TurnEvent)]
        ends.append([(turn.segment_id, turn.speaker, turn.start_s, turn.end_s) for turn in turns])
        await session.close()
    assert ends[0] == ends[1]
    assert len(ends[0]) > 3
