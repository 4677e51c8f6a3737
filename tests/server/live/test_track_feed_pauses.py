"""A track that falls silent gives its engine session back, and takes another up when audio comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from meetra.inference.v2 import session_pb2

from server.analysis.recording import SessionResult
from server.audio.encodings import Encoding, TrackFormat
from server.conversation import FinishedEvent
from server.engine.inference_client import InferenceClient
from server.live.config import LiveConfig
from server.live.published_state import PublishedState
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import ScriptedEngine, progress, scripted_engine, turn
from tests.server.live.test_track_feed_catch_up import told
from tests.server.live.test_turns import MEETING, stored

PATIENCE_S = 300
CONFIG = of_kinds(PARTICIPANT)
IDLE_S = 0.3
FIRST = np.arange(2 * RATE_HZ, dtype="<i2").tobytes()
# The beginning of a WebM file, before its first sound.
HEADER = bytes.fromhex(
    "1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff"
)
SECOND = np.full(RATE_HZ, 7, "<i2").tobytes()


@dataclass
class Track:
    """A track on its way through a scripted engine."""

    engine: ScriptedEngine
    audio: MeetingAudio
    published: PublishedState
    feed: TrackFeed = field(init=False)
    running: asyncio.Task[SessionResult] = field(init=False)

    async def append(self, data: bytes) -> None:
        await self.audio.append(self.audio.logs[0], data)
        await self.audio.wait_until_committed()

    async def result(self) -> SessionResult:
        async with asyncio.timeout(PATIENCE_S):
            return await self.running


@asynccontextmanager
async def track(folder: Path, idle_s: float = IDLE_S, config: LiveConfig = CONFIG) -> AsyncIterator[Track]:
    with ThreadPoolExecutor(1) as syncing:
        async with scripted_engine() as (engine, address):
            audio = MeetingAudio([TrackLog(config.tracks[0], folder / "t0.log")], folder / "holder", syncing)
            await audio.open()
            made = Track(engine, audio, PublishedState(config, MEETING))

            async def ignore() -> None:
                """Nobody listens."""

            client = InferenceClient(address)
            made.feed = TrackFeed(
                MEETING,
                config,
                0,
                audio,
                made.published,
                client,
                ignore,
                organization_id=MEETING,
                idle_s=idle_s,
                cuts=TrackCuts(folder / "cuts"),
            )
            made.running = asyncio.create_task(made.feed.run())
            yield made
            made.running.cancel()
            await asyncio.gather(made.running, return_exceptions=True)
            await client.close()
            await audio.close()


def length_s(result: SessionResult) -> float:
    (finished,) = (event for event in result.events if isinstance(event, FinishedEvent))
    return finished.duration_us / 1e6


async def test_no_session_is_opened_before_the_first_audio(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        await asyncio.sleep(3 * IDLE_S)
        assert made.engine.opened == 0
        await made.append(FIRST)
        session = await made.engine.session()
        await session.conclude()
        assert bytes(session.heard) == FIRST


async def test_a_track_without_audio_has_a_result_at_the_end(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        await made.audio.end()
        await (await made.engine.session()).conclude()
        assert length_s(await made.result()) == 0


async def test_silence_gives_the_session_back_and_its_result_stands_at_the_end(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        await made.append(FIRST)
        session = await made.engine.session()
        # The track says nothing more: the session is asked to end, long before the meeting does.
        await session.conclude()
        async with asyncio.timeout(PATIENCE_S):
            await session.gone.wait()
        assert not made.running.done()
        await made.audio.end()
        assert length_s(await made.result()) == 2
        assert made.engine.opened == 1


async def test_audio_after_a_long_silence_is_heard_by_a_session_that_knows_all_before_it(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        await made.append(FIRST)
        session = await made.engine.session()
        session.say(turn(1, 0, 1.5, "good morning"), progress(2, 2, 2))
        await session.conclude()
        async with asyncio.timeout(PATIENCE_S):
            await session.gone.wait()
        assert told(stored(made.published.changes(()))) == [(1, "STABLE", "good morning")]
        await made.append(SECOND)
        again = await made.engine.session()
        # What clients know is not told again.
        again.say(turn(1, 0, 1.5, "good mourning"), progress(2, 2, 1), turn(1, 0, 1.5, "good morning"))
        await again.conclude()
        assert bytes(again.heard) == FIRST + SECOND
        await made.audio.end()
        assert length_s(await made.result()) == 3
        assert told(stored(made.published.changes(()))) == []
        assert made.engine.opened == 2


async def test_who_pauses_on_purpose_does_not_have_everything_analysed_again_and_again(tmp_path: Path) -> None:
    async with track(tmp_path, idle_s=0.05) as made:
        await made.append(bytes(1000 * 2 * RATE_HZ))
        await (await made.engine.session()).conclude()
        await made.append(SECOND)
        again = await made.engine.session()
        # As much was analysed twice by now: the next pause has to be as long.
        await asyncio.sleep(0.5)
        assert not again.over.is_set()


async def test_a_track_that_ends_is_cut_at_its_end_and_needs_no_other_session(tmp_path: Path) -> None:
    ended = replace(CONFIG.tracks[0], ended=True)
    async with track(tmp_path) as made:
        await made.append(FIRST)
        session = await made.engine.session()
        # The pause is so long that the session is over before the track is.
        await session.conclude()
        async with asyncio.timeout(PATIENCE_S):
            await session.gone.wait()
        await made.audio.end_track(made.audio.logs[0], ended)
        assert length_s(await made.result()) == 2
        assert made.engine.opened == 1
    assert TrackCuts(tmp_path / "cuts").positions == [2 * RATE_HZ]


async def test_a_track_ends_once_all_of_its_audio_is_heard(tmp_path: Path) -> None:
    ended = replace(CONFIG.tracks[0], ended=True)
    async with track(tmp_path, idle_s=3600) as made:
        await made.append(FIRST)
        session = await made.engine.session()
        # Accepted, and not on disk yet.
        await made.audio.append(made.audio.logs[0], SECOND)
        await made.audio.end_track(made.audio.logs[0], ended)
        last = turn(1, 0, 2.5, "good bye")
        last.state = session_pb2.TURN_STATE_FINAL
        await session.conclude(last)
        assert bytes(session.heard) == FIRST + SECOND
        assert length_s(await made.result()) == 3
        assert told(made.published.turns.changes()) == [(1, "STABLE", "good bye")]
        assert not made.audio.ended


async def test_a_track_that_ends_without_audio_has_a_result(tmp_path: Path) -> None:
    async with track(tmp_path) as made:
        await made.audio.end_track(made.audio.logs[0], replace(CONFIG.tracks[0], ended=True))
        await (await made.engine.session()).conclude()
        assert length_s(await made.result()) == 0
    assert TrackCuts(tmp_path / "cuts").positions == []


async def test_a_track_that_ends_after_its_header_is_closed(tmp_path: Path) -> None:
    config = of_kinds(PARTICIPANT, format=TrackFormat(Encoding.WEBM_OPUS, 48_000, 1))
    async with track(tmp_path, config=config) as made:
        await made.append(HEADER)
        assert made.feed.has_audio
        assert not made.feed.is_closed
        await made.audio.end_track(made.audio.logs[0], replace(config.tracks[0], ended=True))
        await (await made.engine.session()).conclude()
        assert length_s(await made.result()) == 0
        assert made.feed.is_closed
