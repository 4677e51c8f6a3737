"""A participant who sends nothing while others go on: what they said is told at once, and is final after a while."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.analysis.recording import SessionResult
from server.audio import Edit, Encoding, TrackFormat, TrackSound
from server.conversation import FinishedEvent, TurnEvent
from server.engine.inference_client import InferenceClient
from server.live.config import LiveConfig
from server.live.published_state import PublishedState
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts, read_cuts
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio
from server.live.track_part import MAX_CHUNK_BYTES, PauseRules, TrackPart
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.audio.opus_audio import raw_packets
from tests.server.audio.test_webm_packets import block, cluster, header
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import PARTIAL, ScriptedEngine, progress, scripted_engine, turn
from tests.server.live.test_track_feed_catch_up import marks, told
from tests.server.live.test_turns import MEETING, stored

PATIENCE_S = 300
CONFIG = of_kinds(PARTICIPANT)
CUT_S = 0.5
FIRST = np.arange(2 * RATE_HZ, dtype="<i2").tobytes()
# Not a whole number of the engine's blocks.
SECOND = np.full(RATE_HZ + 77, 7, "<i2").tobytes()
# The part that begins after two seconds: ids of its segments begin here, times are the track's.
SECOND_ID = 5000


class Track:
    """A track on its way through a scripted engine, while others go on or do not."""

    def __init__(self, engine: ScriptedEngine, audio: MeetingAudio, client: InferenceClient, cuts: Path) -> None:
        self.engine, self.audio, self.cuts = engine, audio, cuts
        self.config = CONFIG
        self.others_us = 0
        self.others_go_on = True
        self.events: list[pb.LiveEvent] = []
        self._client = client
        self._changed = asyncio.Condition()

    def hold(self, *, cut_s: float = CUT_S, config: LiveConfig = CONFIG) -> None:
        """As a process that holds the meeting, with what was told before."""
        self.config = config
        self.published = PublishedState(config, MEETING)
        self.published.restore(stored(self.events))
        self.feed = TrackFeed(
            MEETING,
            config,
            0,
            self.audio,
            self.published,
            self._client,
            self._tell,
            organization_id=MEETING,
            idle_s=3600,
            cuts=TrackCuts(self.cuts),
            cut_s=cut_s,
            others_through_us=self._others,
        )
        self.feed.limit_restored_words()
        self.published.turns.settle_speakers(0)
        self.running = asyncio.create_task(self.feed.run())

    async def let_go(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    def _others(self) -> int:
        self.others_us += 1_000_000 * self.others_go_on
        return self.others_us

    async def _tell(self) -> None:
        async with self._changed:
            self.events += stored(self.published.changes(()))
            self._changed.notify_all()

    async def append(self, data: bytes, *edits: Edit) -> None:
        await self.audio.append(self.audio.logs[0], data, edits=edits)
        await self.audio.wait_until_committed()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    async def result(self) -> SessionResult:
        async with asyncio.timeout(PATIENCE_S):
            return await self.running


@asynccontextmanager
async def track(folder: Path) -> AsyncIterator[Track]:
    with ThreadPoolExecutor(1) as syncing:
        async with scripted_engine() as (engine, address):
            audio = MeetingAudio([TrackLog(CONFIG.tracks[0], folder / "t0.log")], folder / "holder", syncing)
            await audio.open()
            client = InferenceClient(address)
            made = Track(engine, audio, client, folder / "cuts-0")
            yield made
            await made.let_go()
            await client.close()
            await audio.close()


def final(said: session_pb2.Turn) -> session_pb2.Turn:
    """A turn as the engine ends with it."""
    made = session_pb2.Turn()
    made.CopyFrom(said)
    made.state = session_pb2.TURN_STATE_FINAL
    made.revision += 10
    return made


async def said_and_cut(made: Track) -> None:
    """The track says good morning, and then nothing, while others go on."""
    await made.append(FIRST)
    session = await made.engine.session()
    session.say(turn(1, 0, 1.5, "good mourning", state=PARTIAL), progress(2, 0, 0))
    await session.conclude(final(turn(1, 0, 1.5, "good morning")))
    await made.until(lambda: told(made.events)[-1:] == [(1, "FINAL", "good morning")])


async def test_what_was_said_before_a_pause_becomes_final_and_later_audio_is_a_part_of_its_own(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold()
        await said_and_cut(made)
        assert marks(made.events)[-1] == (2, 2)
        assert read_cuts(made.cuts) == [2 * RATE_HZ]
        assert made.feed.is_closed
        await made.append(SECOND)
        assert not made.feed.is_closed
        again = await made.engine.session()
        again.say(turn(1, 0.25, 0.75, "so long"), progress(1, 1, 0))
        await made.until(lambda: told(made.events)[-1] == (2, "STABLE", "so long"))
        last = made.events[-1].turn
        assert (last.start_ms, last.end_ms, [w.start_ms for w in last.words]) == (2250, 2750, [2250, 2500])
        await made.audio.end()
        await again.conclude(final(turn(1, 0.25, 0.75, "so long")))
        assert bytes(again.heard) == SECOND
        result = await made.result()
        turns = [event.segment for event in result.events if isinstance(event, TurnEvent)]
        assert [(segment.segment_id, segment.start_us) for segment in turns] == [(1, 0), (SECOND_ID + 1, 2_250_000)]
        (end,) = (event for event in result.events if isinstance(event, FinishedEvent))
        assert end.duration_us == 3_004_812
        assert result.level.samples == (len(FIRST) + len(SECOND)) // 2
        assert made.engine.opened == 2


LONG_S = 3600


def declared(seconds: int = LONG_S) -> Edit:
    """A pause after the first words."""
    return Edit(2 * RATE_HZ, seconds * RATE_HZ, True)


def last_turn(events: list[pb.LiveEvent]) -> pb.LiveTurn:
    return [event.turn for event in events if event.WhichOneof("event") == "turn"][-1]


async def test_an_hour_of_silence_after_a_cut_is_kept_from_the_engine(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold()
        await said_and_cut(made)
        await made.append(SECOND, declared())
        # Silence is no lag.
        assert made.feed.lag_samples() <= len(SECOND) // 2
        assert made.feed.words_lag_samples() <= len(SECOND) // 2
        again = await made.engine.session()
        again.say(turn(1, 1.25, 1.75, "so long"), progress(2, 2, 0))
        await made.until(lambda: told(made.events)[-1] == (2, "STABLE", "so long"))
        # A second of the silence is left.
        assert last_turn(made.events).start_ms == 1000 * (2 + LONG_S) + 250
        assert made.feed.audio_through_us() == (2 + LONG_S) * 1_000_000 + 1_004_812
        await made.audio.end()
        await again.conclude(final(turn(1, 1.25, 1.75, "so long")))
        assert bytes(again.heard) == bytes(2 * RATE_HZ) + SECOND
        result = await made.result()
        (end,) = (event for event in result.events if isinstance(event, FinishedEvent))
        assert end.duration_us == (2 + LONG_S) * 1_000_000 + 1_004_812
        assert made.feed.sound.measured == made.audio.logs[0].committed_samples
        assert read_cuts(made.cuts) == [2 * RATE_HZ]


async def test_an_hour_of_silence_without_a_cut_is_one(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.others_go_on = False
        made.hold()
        await made.append(FIRST)
        await made.append(SECOND, declared())
        first = await made.engine.session()
        await first.conclude(final(turn(1, 0, 1.5, "good morning")))
        second = await made.engine.session()
        second.say(turn(1, 1.25, 1.75, "so long"), progress(2, 2, 0))
        await made.until(lambda: told(made.events)[-1] == (2, "STABLE", "so long"))
        assert last_turn(made.events).start_ms == 1000 * (2 + LONG_S) + 250
        assert not made.feed.is_closed
        await made.let_go()
        # Another process does the same.
        made.hold(cut_s=3600)
        again = await made.engine.session()
        await again.conclude(final(turn(1, 0, 1.5, "good morning")))
        after = await made.engine.session()
        await made.audio.end()
        await after.conclude(final(turn(1, 1.25, 1.75, "so long")))
        assert bytes(after.heard) == bytes(2 * RATE_HZ) + SECOND
        assert bytes(again.heard) == bytes(first.heard)
        assert len(first.heard) < 20 * 2 * RATE_HZ
        (cut,) = read_cuts(made.cuts)
        assert len(FIRST) < 2 * cut == len(first.heard)
        result = await made.result()
        turns = [event.segment for event in result.events if isinstance(event, TurnEvent)]
        assert [segment.start_us for segment in turns] == [0, (2 + LONG_S) * 1_000_000 + 250_000]


async def test_silence_of_half_a_minute_is_heard(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.others_go_on = False
        made.hold()
        await made.append(FIRST)
        await made.append(SECOND, declared(29))
        await made.audio.end()
        session = await made.engine.session()
        await session.conclude()
        assert bytes(session.heard) == FIRST + bytes(29 * 2 * RATE_HZ) + SECOND
        assert read_cuts(made.cuts) == []


async def test_a_pause_that_lasts_to_the_end_costs_no_further_session(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold()
        await said_and_cut(made)
        await made.audio.end()
        result = await made.result()
        (end,) = (event for event in result.events if isinstance(event, FinishedEvent))
        assert (end.duration_us, made.engine.opened) == (2_000_000, 1)


async def test_where_nobody_goes_on_nobody_is_held_back_and_nothing_is_cut(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.others_go_on = False
        made.hold()
        await made.append(FIRST)
        session = await made.engine.session()
        await asyncio.sleep(10 * CUT_S)
        assert not session.over.is_set()
        await made.append(SECOND)
        await made.audio.end()
        await session.conclude()
        assert bytes(session.heard) == FIRST + SECOND
        assert read_cuts(made.cuts) == []


async def test_others_that_catch_up_after_a_pause_of_all_cut_nobody(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.others_go_on = False
        made.hold()
        await made.append(FIRST)
        session = await made.engine.session()
        await asyncio.sleep(10 * CUT_S)
        # What the others have said meanwhile comes at once, before the rest of this track does.
        made.others_us += 60_000_000
        await asyncio.sleep(10 * CUT_S)
        assert not session.over.is_set()
        assert read_cuts(made.cuts) == []


async def test_a_track_of_several_voices_is_never_cut(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold(config=of_kinds(MIXED))
        await made.append(FIRST)
        session = await made.engine.session()
        await asyncio.sleep(10 * CUT_S)
        assert not session.over.is_set()


async def test_another_process_cuts_where_the_first_did_and_tells_nothing_again(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold()
        await said_and_cut(made)
        await made.append(SECOND)
        part = await made.engine.session()
        part.say(turn(1, 0.25, 0.75, "so long"), progress(1, 1, 0))
        await made.until(lambda: told(made.events)[-1] == (2, "STABLE", "so long"))
        await made.let_go()
        before = len(made.events)
        # Whoever takes the meeting up has all of its audio at once.
        made.hold(cut_s=3600)
        first = await made.engine.session()
        first.say(turn(1, 0, 1.5, "good mourning"), progress(2, 2, 0))
        await first.conclude(final(turn(1, 0, 1.5, "good morning")))
        assert bytes(first.heard) == FIRST
        second = await made.engine.session()
        second.say(turn(1, 0.25, 0.5, "so", state=PARTIAL), progress(0.5, 0.5, 0))
        second.say(turn(1, 0.25, 0.75, "so long"), progress(1, 1, 1))
        await made.until(lambda: len(made.events) > before)
        assert bytes(second.heard[: len(SECOND)]) == SECOND[: len(second.heard)]
        assert told(made.events[before:]) == [(2, "FINAL", "so long")]


async def test_a_part_whose_engine_dies_begins_again_at_its_first_sample(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold()
        await said_and_cut(made)
        await made.append(SECOND)
        part = await made.engine.session()
        part.say(turn(1, 0.25, 0.75, "so long"), progress(1, 1, 0))
        await made.until(lambda: told(made.events)[-1] == (2, "STABLE", "so long"))
        before = len(made.events)
        part.die()
        again = await made.engine.session()
        again.say(turn(1, 0.25, 0.5, "soo", state=PARTIAL), progress(0.5, 0.5, 0))
        again.say(turn(1, 0.25, 0.75, "so long"), progress(1, 1, 0.1))
        await made.audio.end()
        await again.conclude()
        assert bytes(again.heard) == SECOND
        assert told(made.events[before:]) == []


async def test_a_track_that_delivers_nothing_for_a_second_is_flushed_once(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold(cut_s=3600)
        await made.append(SECOND)
        session = await made.engine.session()
        async with asyncio.timeout(PATIENCE_S):
            while not session.flushes:
                await asyncio.sleep(0.05)
        # With the rest that is no whole block.
        assert bytes(session.heard) == SECOND
        await asyncio.sleep(2.5)
        assert session.flushes == [len(SECOND)]
        await made.append(FIRST)
        async with asyncio.timeout(PATIENCE_S):
            while len(session.flushes) < 2:
                await asyncio.sleep(0.05)
        assert bytes(session.heard) == SECOND + FIRST


async def test_a_flush_that_is_asked_for_comes_with_all_audio_before_it(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        made.hold(cut_s=3600)
        await made.append(SECOND)
        session = await made.engine.session()
        made.feed.request_flush()
        async with asyncio.timeout(PATIENCE_S):
            while not session.flushes:
                await asyncio.sleep(0.01)
        assert session.flushes == [len(SECOND)]
        # One that has nothing new to tell costs nothing, however often it is asked for.
        for _ in range(100):
            made.feed.request_flush()
        await asyncio.sleep(1.0)
        assert session.flushes == [len(SECOND)]


@pytest.mark.children
async def test_a_long_silence_that_few_bytes_state_is_never_held_as_a_whole(tmp_path: Path) -> None:
    packet, silence_s = raw_packets(sample_pcm()[:RATE_HZ])[0], 600
    config = of_kinds(PARTICIPANT, format=TrackFormat(Encoding.WEBM_OPUS, 48_000, 1))
    log = TrackLog(config.tracks[0], tmp_path / "t0.log")
    with ThreadPoolExecutor(1) as syncing:
        audio = MeetingAudio([log], tmp_path / "holder", syncing)
        await audio.open()
        await audio.append(log, header() + cluster(0, block(0, packet)) + cluster(1000 * silence_s, block(0, packet)))
        await audio.end()
        part = TrackPart(audio, log, config.tracks[0], TrackSound(), pauses=PauseRules(3600, lambda: 0.0))
        tracemalloc.start()
        try:
            sizes = [len(chunk) async for chunk in part.chunks() if isinstance(chunk, bytes)]
            _, most_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            await audio.close()
    assert set(sizes[:-2]) == {MAX_CHUNK_BYTES}
    assert sum(sizes) >= 2 * RATE_HZ * silence_s
    # Two minutes are kept for comparing tracks.
    assert most_bytes < RATE_HZ * silence_s
