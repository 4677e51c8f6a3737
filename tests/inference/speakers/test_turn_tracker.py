"""Turns while they go on, by the real models: soon, settling, and in the end the same as without."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc
from numpy.typing import NDArray

from inference.api.admission import SessionLimits
from inference.api.messages import event_message
from inference.api.service import SessionServicer
from inference.diarization.segmented_windows import FrameGrid, SegmentedWindows
from inference.diarization.speech_segments import SpeechSegment
from inference.diarization.windows import EncoderWindow
from inference.engine import ModelEngine
from inference.models import EncoderProfile, RecognisedWord
from inference.session import Session, SessionConfig
from inference.speakers.turn_tracker import TurnTracker
from inference.stages.events import Event, ProgressEvent, SessionStage, TurnEvent, TurnState
from tests.recordings import RATE_HZ, sample_pcm, solo

Pcm = NDArray[np.int16]
Request = session_pb2.RunSessionRequest
Response = session_pb2.RunSessionResponse
# Three who speak for three seconds each.
SPEECH = sample_pcm()[int(12.3 * RATE_HZ) : int(25.3 * RATE_HZ)]
SOON_S = 2.0
# A voice is told as unknown until two windows of it are there.
NAMED_S = 3.0
# A piece of speech without words grows to 8 s before it is handed to the recogniser.
MAX_BEHIND = 9 * RATE_HZ
PARTIAL, STABLE, FINAL, RETRACTED = TurnState.PARTIAL, TurnState.STABLE, TurnState.FINAL, TurnState.RETRACTED


async def run(
    engine: ModelEngine, pcm: Pcm, chunk: int, *, live: bool = True, expected: int | None = None, words: bool = True
) -> list[Event]:
    """Everything that a session says; audio waits for words that are much behind, as live they never are."""
    session = Session(engine, SessionConfig(expected_speakers=expected, live=live, transcribe=words))
    said: list[Event] = []
    try:
        for start in range(0, len(pcm), chunk):
            said += await session.push(pcm[start : start + chunk])
            while live and start - session.processed_samples() > MAX_BEHIND:
                await session.changed.wait()
                said += await session.poll()
        return said + await session.finish()
    finally:
        await session.close()


def turns_of(said: Sequence[Event]) -> list[TurnEvent]:
    return [event for event in said if isinstance(event, TurnEvent)]


def by_segment(said: Sequence[Event]) -> dict[int, list[TurnEvent]]:
    found: defaultdict[int, list[TurnEvent]] = defaultdict(list)
    for turn in turns_of(said):
        found[turn.segment_id].append(turn)
    return found


def in_the_end(said: Sequence[Event]) -> list[Response]:
    """The final turns and the end, without the revision, which counts what was said before."""
    messages = [event_message(event) for event in said if not isinstance(event, ProgressEvent)]
    final = [m for m in messages if m.WhichOneof("event") != "turn" or m.turn.state == session_pb2.TURN_STATE_FINAL]
    for message in final:
        if message.WhichOneof("event") == "turn":
            message.turn.revision = 0
    return final


@pytest.fixture(scope="module")
async def said(engine: ModelEngine) -> list[Event]:
    """What a live session says of the beginning of the sample meeting, which comes in pieces of 0.1 s."""
    return await run(engine, SPEECH, 1600)


@pytest.mark.parametrize("chunk", [333, 8192])
async def test_the_end_is_the_same_live_and_not_however_audio_comes(
    engine: ModelEngine, said: list[Event], chunk: int
) -> None:
    assert in_the_end(await run(engine, SPEECH, chunk, live=False)) == in_the_end(said)
    assert in_the_end(await run(engine, SPEECH, chunk)) == in_the_end(said)


async def test_the_end_is_the_same_when_every_sample_comes_alone(engine: ModelEngine) -> None:
    short = SPEECH[: 4 * RATE_HZ]
    alone = await run(engine, short, 1)
    assert in_the_end(alone) == in_the_end(await run(engine, short, len(short), live=False))


async def test_who_speaks_is_told_the_same_at_each_moment_however_audio_comes(engine: ModelEngine) -> None:
    """So a replay after a crash tells nothing anew."""
    told = [await run(engine, SPEECH, chunk, words=False) for chunk in (333, 2048, 8192, 40_000)]
    turns = [[e for e in said if isinstance(e, TurnEvent | ProgressEvent)] for said in told]
    assert all(one == turns[0] for one in turns)
    assert len({e.speaker for e in turns[0] if isinstance(e, TurnEvent)}) >= 3


async def test_speech_is_told_soon_after_it_begins(said: list[Event]) -> None:
    heard_s, first_heard_s = 0.0, dict[int, float]()
    waiting: list[int] = []
    for event in said:
        if isinstance(event, TurnEvent) and event.state is not FINAL:
            waiting.append(event.segment_id)
        if isinstance(event, ProgressEvent) and event.stage == SessionStage.ANALYSING:
            heard_s = event.heard_samples / RATE_HZ
            for id_ in waiting:
                first_heard_s.setdefault(id_, heard_s)
            waiting = []
    first = {id_: turns[0] for id_, turns in by_segment(said).items() if turns[0].state is not FINAL}
    assert first
    firsts = [turn for turn in first.values() if turn.segment_id % 1000 == 1]
    assert all(first_heard_s[turn.segment_id] - turn.start_s <= SOON_S for turn in firsts)
    assert all(turn.state is PARTIAL for turn in firsts if first_heard_s[turn.segment_id] < turn.end_s + 0.3)


async def test_a_speaker_is_named_long_before_the_turn_ends(said: list[Event]) -> None:
    begun = [turns for turns in by_segment(said).values() if turns[0].state is PARTIAL]
    long = [turns for turns in begun if turns[-1].end_s - turns[-1].start_s >= SOON_S]
    assert long
    for turns in long:
        named = next(turn for turn in turns if turn.speaker)
        assert named.end_s - turns[0].start_s <= NAMED_S


async def test_a_turn_is_stable_once_all_its_words_are_there(said: list[Event]) -> None:
    stable = [turn for turn in turns_of(said) if turn.state is STABLE]
    assert stable
    assert any(turn.words for turn in stable)
    for turn in stable:
        assert all(turn.start_s - 1 < word.start_s <= word.end_s < turn.end_s + 1 for word in turn.words)


def test_a_turn_is_stable_when_another_has_taken_the_floor_and_its_words_are_there() -> None:
    profile = EncoderProfile(
        dimension=2,
        window_s=1.6,
        hop_s=0.4,
        split_similarity=0.5,
        merge_similarity=0.9,
        online_similarity=0.5,
        min_cluster_s=1.0,
        max_speakers=4,
        same_voice_similarity=0.9,
    )
    turns = TurnTracker(profile, expected=2, segmented=None)
    middles = np.arange(0.8, 9.0, 0.4)
    vectors = np.where(middles[:, None] < 5, [[1.0, 0.0]], [[0.0, 1.0]]).astype(np.float32)
    turns.extend_segment(0, SpeechSegment(0.0, 10.0))
    turns.add_windows([EncoderWindow(middle - 0.8, middle + 0.8, 0) for middle in middles], vectors)
    told = turns.changed_turns(words_through_s=4.0)
    assert [(t.speaker, t.state, t.ended) for t in told] == [(1, PARTIAL, True), (2, PARTIAL, False)]
    word = RecognisedWord("floor", 4.0, 4.4, None)
    turns.set_words(0, [word], complete=False)
    assert [(t.speaker, t.state, t.words) for t in turns.changed_turns(words_through_s=6.0)] == [(1, STABLE, (word,))]
    turns.close_segment(0, SpeechSegment(0.0, 10.2))
    # The speech has ended; who spoke last is told once it is known, and then the end, before the words are.
    assert [t.ended for t in turns.changed_turns(words_through_s=6.0, unsettled=[0])] == [False]
    turns.add_windows([], np.zeros((0, 2), np.float32))
    turns.set_words(0, [word], complete=False)
    assert [(t.speaker, t.state, t.ended) for t in turns.changed_turns(words_through_s=6.0)] == [(2, PARTIAL, True)]
    turns.set_words(0, [word], complete=True)
    told = turns.changed_turns(words_through_s=10.2, unsettled={0})
    assert [(t.speaker, t.state) for t in told] == [(2, PARTIAL)], "its last embedding is still to come"
    turns.add_windows([EncoderWindow(8.6, 10.2, 0)], np.array([[0.0, 1.0]], np.float32))
    assert [(t.speaker, t.state) for t in turns.changed_turns(words_through_s=10.2)] == [(2, STABLE)]


IN_A_PLANE = EncoderProfile(
    dimension=2,
    window_s=0.8,
    hop_s=0.8,
    split_similarity=0.5,
    merge_similarity=0.99,
    online_similarity=0.5,
    min_cluster_s=1.0,
    max_speakers=4,
    same_voice_similarity=0.9,
)


def at_degrees(*degrees: float) -> NDArray[np.float32]:
    """Embeddings in a plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_speech_that_is_over_keeps_its_speaker_until_everything_is_clustered_anew() -> None:
    turns = TurnTracker(IN_A_PLANE, expected=2, segmented=None)

    def said(number: int, start_s: float, vectors: NDArray[np.float32]) -> list[int]:
        segment = SpeechSegment(start_s, start_s + 0.8 * len(vectors))
        starts = [start_s + 0.8 * place for place in range(len(vectors))]
        turns.add_windows([EncoderWindow(at, at + 0.8, number) for at in starts], vectors)
        turns.close_segment(number, segment)
        turns.set_words(number, [], complete=True)
        return [turn.speaker for turn in turns.changed_turns(words_through_s=segment.end_s)]

    first = at_degrees(*[0] * 20, *[35] * 10)
    assert said(0, 0.0, first) == [1]
    # The second voice comes closer and closer to what the first one said last.
    drifting = at_degrees(90, 80, 70, 60, *[50] * 10, *[42] * 40, *[38] * 60)
    assert said(1, 30.0, drifting) == [2]
    turns.set_words(0, [RecognisedWord("late", 3.0, 3.4, None)], complete=True)
    told = turns.changed_turns(words_through_s=200.0)
    assert [(t.segment_id, t.speaker, t.start_s) for t in told] == [(1, 1, 0.0)]
    turns.recluster(np.concatenate([first, drifting]))
    told = turns.changed_turns(words_through_s=200.0)
    assert any(turn.segment_id < 1000 and turn.speaker == 2 for turn in told)


# Windows of voices: 10 s of 0.1 s frames, every 5 s.
GRID, WINDOW_FRAMES, HOP_FRAMES = FrameGrid(0.05, 0.1), 100, 50


class Told:
    """A tracker with voice windows, told of speech segment by segment."""

    def __init__(self) -> None:
        self.segmented = SegmentedWindows(GRID, HOP_FRAMES)
        self.turns = TurnTracker(IN_A_PLANE, None, self.segmented)
        self.vectors: list[NDArray[np.float32]] = []
        self._segments = 0

    def speech(self, start_s: float, *degrees: float) -> None:
        """A speech segment of windows at these angles, with all its words."""
        number, end_s = self._segments, start_s + 0.8 * len(degrees)
        self._segments += 1
        starts = [start_s + 0.8 * place for place in range(len(degrees))]
        self.vectors.append(at_degrees(*degrees))
        self.turns.add_windows([EncoderWindow(at, at + 0.8, number) for at in starts], self.vectors[-1])
        self.turns.close_segment(number, SpeechSegment(start_s, end_s))
        self.turns.set_words(number, [], complete=True)

    def window(self, *spoken_s: tuple[float, float]) -> None:
        """The next window of voices: one of them at these times, seconds."""
        first = len(self.segmented) * HOP_FRAMES
        classes = np.zeros((WINDOW_FRAMES, 7), np.float32)
        classes[:, 0] = 1
        for start_s, end_s in spoken_s:
            classes[max(0, round(10 * start_s) - first) : max(0, round(10 * end_s) - first), :2] = (0, 1)
        self.segmented.append(classes)

    def states(self) -> list[tuple[float, TurnState]]:
        """Start and state of each turn that is emitted now."""
        return [(round(turn.start_s, 1), turn.state) for turn in self.turns.changed_turns(words_through_s=1e9)]


def test_a_turn_is_stable_once_all_voice_windows_over_it_have_come_or_it_is_flushed() -> None:
    told = Told()
    told.speech(1.0, *[0] * 4)
    assert told.states() == [(1.0, PARTIAL)]
    told.window((1.0, 4.2), (6.0, 8.4))
    told.speech(6.0, *[0] * 3)
    assert told.states() == [(1.0, STABLE), (6.0, PARTIAL)]
    told.speech(11.0, *[0] * 3)
    assert told.states() == [(11.0, PARTIAL)]
    told.turns.flush(14.0)
    assert told.states() == [(6.0, STABLE), (11.0, STABLE)]


def test_a_turn_whose_speaker_is_sure_does_not_wait_for_the_second_voice_window() -> None:
    told = Told()
    told.speech(0.0, *[0] * 20)
    told.speech(16.4, *[90] * 20)
    told.turns.recluster(np.concatenate(told.vectors))
    for _ in range(6):
        told.window((0.0, 16.0), (16.4, 32.4))
    told.states()
    told.speech(33.0, 90, 90)
    told.speech(35.2, 46, 46)
    assert told.states() == [(33.0, STABLE), (35.2, PARTIAL)]
    told.window((33.0, 34.6), (35.2, 36.8))
    assert STABLE not in [state for _, state in told.states()]
    told.window((35.2, 36.8))
    assert told.states() == [(35.2, STABLE)]


def test_speech_that_only_voice_windows_have_is_told_and_taken_back_where_the_next_says_otherwise() -> None:
    told = Told()
    told.speech(1.0, *[0] * 4)
    told.window((1.0, 4.2), (5.2, 6.0), (7.0, 8.0))
    assert told.states() == [(1.0, STABLE), (5.2, PARTIAL), (7.0, PARTIAL)]
    told.window((5.2, 6.0))
    assert told.states() == [(5.2, STABLE), (7.0, RETRACTED)]


async def test_revisions_rise_by_one_and_never_say_the_same(said: list[Event]) -> None:
    for turns in by_segment(said).values():
        assert [turn.revision for turn in turns] == list(range(1, len(turns) + 1))
        for before, after in pairwise(turns):
            assert replace(before, revision=0) != replace(after, revision=0)


async def test_a_turn_that_is_stable_has_ended(said: list[Event]) -> None:
    turns = [turn for turns in by_segment(said).values() for turn in turns]
    assert any(turn.state is STABLE for turn in turns)
    assert all(turn.ended for turn in turns if turn.state is STABLE)


async def test_nobody_is_told_to_speak_twice_at_once_at_any_moment(said: list[Event]) -> None:
    now: dict[int, TurnEvent] = {}
    for event in said:
        if isinstance(event, TurnEvent) and event.state is not FINAL:
            now[event.segment_id] = event
        elif isinstance(event, ProgressEvent):
            there = [t for t in now.values() if t.state is not RETRACTED]
            for speaker in {t.speaker for t in there}:
                own = sorted((t.start_s, t.end_s) for t in there if t.speaker == speaker)
                assert all(a[1] <= b[0] + 0.11 for a, b in pairwise(own))


async def test_retracted_segments_are_not_in_the_end_and_nothing_else_is_missing(said: list[Event]) -> None:
    final = {turn.segment_id for turn in turns_of(said) if turn.state is FINAL}
    last = {turn.segment_id: turn for turn in turns_of(said) if turn.state is not FINAL}
    gone = {id_ for id_, turn in last.items() if turn.state is RETRACTED}
    assert all(not turn.words for turn in turns_of(said) if turn.state is RETRACTED)
    # The end may cut speech at other places than was thought; all speech is told in the end.
    assert {id_ // 1000 for id_ in set(last) - gone} <= {id_ // 1000 for id_ in final}


async def test_progress_never_falls_and_words_are_never_ahead_of_what_was_heard(said: list[Event]) -> None:
    progress = [event for event in said if isinstance(event, ProgressEvent)]
    heard = [event.heard_samples for event in progress]
    done = [event.processed_samples for event in progress]
    assert heard == sorted(heard)
    assert done == sorted(done)
    assert all(d <= h for d, h in zip(done, heard, strict=True))
    assert heard[-1] == done[-1] == len(SPEECH)


async def test_words_before_those_that_are_final_do_not_change(said: list[Event]) -> None:
    """Also at the end: that is what the words' watermark promises."""
    final = sorted((w.start_s, w.end_s, w.text) for t in turns_of(said) if t.state is FINAL for w in t.words)
    now: dict[int, TurnEvent] = {}
    for event in said:
        if isinstance(event, TurnEvent) and event.state is not FINAL:
            now[event.segment_id] = event
        elif isinstance(event, ProgressEvent) and event.stage == SessionStage.ANALYSING:
            open_s = min((t.start_s for t in now.values() if t.state is PARTIAL), default=float("inf"))
            through_s = min(event.final_words_samples / RATE_HZ, open_s)
            told = sorted((w.start_s, w.end_s, w.text) for t in now.values() for w in t.words if w.end_s <= through_s)
            assert told == [word for word in final if word[1] <= through_s]


async def test_one_who_speaks_alone_is_never_called_another(engine: ModelEngine) -> None:
    turns = turns_of(await run(engine, SPEECH, 3200, expected=1, words=False))
    assert {turn.speaker for turn in turns} <= {0, 1}
    assert {turn.speaker for turn in turns if turn.state is FINAL} == {1}
    assert any(turn.state is STABLE for turn in turns)


async def test_nobody_speaks_in_silence(engine: ModelEngine) -> None:
    said = await run(engine, np.zeros(5 * RATE_HZ, np.int16), 1600)
    assert turns_of(said) == []


@pytest.fixture
async def stub(engine: ModelEngine) -> AsyncIterator[session_pb2_grpc.SessionServiceAsyncStub]:
    server = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(SessionServicer(engine, SessionLimits(4)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield session_pb2_grpc.SessionServiceStub(channel)
    await server.stop(None)


def requests(pcm: Pcm, chunk: int) -> list[Request]:
    config = session_pb2.SessionConfig(sample_rate_hz=RATE_HZ, live=True)
    pieces = [
        session_pb2.AudioChunk(first_sample=start, pcm_s16le=pcm[start : start + chunk].astype("<i2").tobytes())
        for start in range(0, len(pcm), chunk)
    ]
    return [Request(config=config), *(Request(audio=piece) for piece in pieces)]


async def test_words_that_come_late_are_told_without_further_audio(
    stub: session_pb2_grpc.SessionServiceAsyncStub,
) -> None:
    call = stub.RunSession()
    for request in requests(sample_pcm()[: 12 * RATE_HZ], RATE_HZ):
        await call.write(request)
    # No more audio comes, and no finish: what is told now is told since words have come.
    waiting: set[int] = set()
    heard = False
    while not heard or waiting:
        response = await call.read()
        assert isinstance(response, Response)
        if response.WhichOneof("event") == "turn":
            # One that is under way may be a second longer than was told, and half a second unheard.
            ends = response.turn.end_us / 1e6 < 10.4
            (waiting.add if ends and not response.turn.words else waiting.discard)(response.turn.segment_id)
        heard = heard or response.progress.heard_samples > 11 * RATE_HZ
    await call.write(Request(finish=session_pb2.Finish()))
    await call.done_writing()
    said = []
    while isinstance(response := await call.read(), Response):
        said.append(response.WhichOneof("event"))
    assert said[-1] == "finished"


def final_of(responses: Sequence[Response]) -> list[str]:
    turns = [r.turn for r in responses if r.turn.state == session_pb2.TURN_STATE_FINAL]
    return [f"{t.segment_id} {t.speaker} {t.start_us} {t.end_us} {[w.text for w in t.words]}" for t in turns]


async def test_sessions_on_the_same_models_do_not_disturb_one_another(
    stub: session_pb2_grpc.SessionServiceAsyncStub,
) -> None:
    async def session(pcm: Pcm, chunk: int) -> list[Response]:
        finish = Request(finish=session_pb2.Finish())
        responses = [r async for r in stub.RunSession(iter([*requests(pcm, chunk), finish]))]
        assert [r.event_seq for r in responses] == list(range(1, len(responses) + 1))
        return responses

    first, second = sample_pcm()[: 7 * RATE_HZ], solo("slt")[: 6 * RATE_HZ]
    alone = [final_of(await session(pcm, 8192)) for pcm in (first, second)]
    together = await asyncio.gather(session(first, 1600), session(second, 4096))
    assert [final_of(responses) for responses in together] == alone
    assert alone[0] != alone[1]
