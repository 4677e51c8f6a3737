"""A track on its way through a real engine: what was told before an engine or a server died is not told again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc
from meetra.v1 import live_pb2 as pb

from cli.free_port import free_port
from server.analysis.recording import SessionResult
from server.conversation import Event, TurnEvent
from server.engine.inference_client import InferenceClient
from server.live.config import LiveConfig
from server.live.published_state import PublishedState
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio
from tests.recordings import RATE_HZ, ROOT, sample_pcm
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, stored

pytestmark = pytest.mark.models

START_S = 100
# A participant who comes late: times are the meeting's, positions the track's.
CONFIG = of_kinds(PARTICIPANT, start_us=START_S * 1_000_000)
BEFORE, AFTER = (sample_pcm()[a * RATE_HZ : b * RATE_HZ].astype("<i2").tobytes() for a, b in ((0, 8), (8, 13)))
PATIENCE_S = 300


@contextmanager
def engine(port: int) -> Iterator[None]:
    """An inference server, killed at the end of the context."""
    settings = {"LISTEN": f"127.0.0.1:{port}", "TRANSCRIBER_PROCESSES": "1", "LOG_LEVEL": "ERROR"}
    environment = {**os.environ, **{f"MEETRA_INFERENCE_{name}": value for name, value in settings.items()}}
    process = subprocess.Popen([sys.executable, "-m", "inference"], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Meeting:
    """A meeting of one track, its events, and who hears it."""

    def __init__(self, audio: MeetingAudio, config: LiveConfig = CONFIG) -> None:
        self.audio, self.config, self.idle_s = audio, config, 3600.0
        self.events: list[pb.LiveEvent] = []
        self._said_more = asyncio.Condition()
        self._hearing: asyncio.Task[SessionResult] | None = None
        self._client: InferenceClient | None = None

    def acquire(self, port: int) -> None:
        """As a server that holds the meeting from now on, with what was told before."""
        self.acquire_at(f"127.0.0.1:{port}")

    def acquire_at(self, addresses: str) -> None:
        """The same, with inference servers at these addresses."""
        self.told = PublishedState(self.config, MEETING)
        self.told.restore(stored(self.events))
        self._client = InferenceClient(addresses)
        self.feed = TrackFeed(
            MEETING,
            self.config,
            0,
            self.audio,
            self.told,
            self._client,
            self._tell,
            organization_id=MEETING,
            idle_s=self.idle_s,
            cuts=TrackCuts(self.audio.logs[0].path.with_name("cuts")),
        )
        self._hearing = asyncio.create_task(self.feed.run())

    async def let_go(self) -> None:
        """As a server that dies."""
        assert self._hearing is not None
        assert self._client is not None
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)
        await self._client.close()

    async def heard(self) -> SessionResult:
        """What the engine said in the end."""
        assert self._hearing is not None
        return await self._hearing

    async def _tell(self) -> None:
        async with self._said_more:
            self.events += stored(self.told.changes(()))
            self._said_more.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with self._said_more, asyncio.timeout(PATIENCE_S):
            await self._said_more.wait_for(condition)

    async def append(self, data: bytes) -> None:
        await self.audio.append(self.audio.logs[0], data)

    def all_known(self) -> bool:
        """Everything that came is heard, and every turn that has ended has its words."""
        length = self.audio.logs[0].accepted
        last = {turn.segment_id: turn for turn in turns_of(self.events)}
        open_ = [turn for turn in last.values() if turn.state == pb.LIVE_TURN_STATE_PARTIAL]
        ended = [turn for turn in open_ if turn.end_ms < 1000 * (START_S + length / RATE_HZ - 1)]
        heard = length - self.feed.reach.turns < 8192
        return heard and bool(last) and not ended and not self.told.turns.is_catching_up(0)


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    with ThreadPoolExecutor(1) as syncing:
        audio = MeetingAudio([TrackLog(CONFIG.tracks[0], tmp_path / "t0.log")], tmp_path / "holder", syncing)
        await audio.open()
        made = Meeting(audio)
        yield made
        await made.let_go()
        await audio.close()


def turns_of(events: list[pb.LiveEvent]) -> list[pb.LiveTurn]:
    """The turns among events."""
    return [event.turn for event in events if event.WhichOneof("event") == "turn"]


def words_final_ms(events: list[pb.LiveEvent]) -> int:
    """Words that end at or before here are final after these events."""
    return max((event.watermark.words_final_through_ms for event in events), default=0)


def words_until(turn: pb.LiveTurn, end_ms: int) -> list[str]:
    """The words of a turn that end at or before a moment."""
    return [word.text for word in turn.words if word.end_ms <= end_ms]


def check(events: list[pb.LiveEvent]) -> None:
    """Each segment was told revision by revision, and its words did not change once they were final."""
    last: dict[int, pb.LiveTurn] = {}
    for place, event in enumerate(events):
        if event.WhichOneof("event") != "turn":
            continue
        turn, before = event.turn, last.get(event.turn.segment_id)
        assert turn.revision == (before.revision if before else 0) + 1
        assert turn.start_ms >= 1000 * START_S
        if before and before.state == pb.LIVE_TURN_STATE_STABLE:
            final_ms = words_final_ms(events[:place])
            # A pause ended it; where it went on after all, it is another segment.
            assert turn.state in (pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_RETRACTED)
        if before and turn.state == before.state == pb.LIVE_TURN_STATE_STABLE:
            assert words_until(turn, final_ms) == words_until(before, final_ms)
        last[turn.segment_id] = turn
    assert any(turn.words for turn in last.values())


async def sessions_at(address: str) -> int:
    """The sessions that an engine has open."""
    async with aio.insecure_channel(address) as channel:
        stub = session_pb2_grpc.SessionServiceStub(channel)
        answer = await stub.GetStatistics(session_pb2.GetStatisticsRequest())
        return int(answer.sessions)


def anew(before: list[pb.LiveEvent], after: list[pb.LiveEvent]) -> list[pb.LiveTurn]:
    """Turns whose words were final, and that were told again all the same."""
    final_ms = words_final_ms(before)
    return [turn for turn in turns_of(after) if turn.end_ms <= final_ms]


async def test_an_engine_that_is_killed_is_replaced_and_says_only_what_is_new(meeting: Meeting) -> None:
    port = free_port()
    with engine(port):
        meeting.acquire(port)
        await meeting.append(BEFORE)
        await meeting.until(meeting.all_known)
    told = len(meeting.events)
    with engine(port):
        await meeting.until(lambda: meeting.told.turns.is_catching_up(0))
        await meeting.until(meeting.all_known)
        assert anew(meeting.events[:told], meeting.events[told:]) == []
        await meeting.append(AFTER)
        await meeting.until(meeting.all_known)
    assert len(meeting.events) > told
    check(meeting.events)


async def test_a_server_that_takes_the_meeting_up_says_only_what_is_new_and_hears_the_end(meeting: Meeting) -> None:
    port = free_port()
    with engine(port):
        meeting.acquire(port)
        await meeting.append(BEFORE)
        await meeting.until(meeting.all_known)
        told = len(meeting.events)
        await meeting.let_go()
        meeting.acquire(port)
        await meeting.until(lambda: meeting.told.turns.is_catching_up(0))
        await meeting.until(meeting.all_known)
        assert anew(meeting.events[:told], meeting.events[told:]) == []
        await meeting.append(AFTER)
        await meeting.until(meeting.all_known)
        await meeting.audio.end()
        said = await asyncio.wait_for(meeting.heard(), PATIENCE_S)
    assert len(meeting.events) > told
    check(meeting.events)
    # The end tells the same turns, and the same words where they were final.
    segments = [e.segment for e in said.events if isinstance(e, TurnEvent)]
    final = {round(segment.start_us / 1000) + 1000 * START_S: segment for segment in segments}
    stable = {t.segment_id: t for t in turns_of(meeting.events) if t.state == pb.LIVE_TURN_STATE_STABLE}
    assert stable
    for turn in stable.values():
        assert turn.start_ms in final
        if turn.end_ms <= words_final_ms(meeting.events):
            assert [word.text for word in turn.words] == [word.text for word in final[turn.start_ms].words]


def unrevised(result: SessionResult) -> list[Event]:
    """The events without revisions, which count what was told before, as soon as it was known."""
    return [replace(event, revision=0) if isinstance(event, TurnEvent) else event for event in result.events]


async def test_a_session_that_ends_in_a_long_silence_changes_nothing_in_the_end(meeting: Meeting) -> None:
    port = free_port()
    with engine(port):
        meeting.idle_s = 0.1
        meeting.acquire(port)
        await meeting.append(BEFORE)
        async with asyncio.timeout(PATIENCE_S):
            await meeting.audio.wait_until_committed()
            while not meeting.feed.reach.turns or await sessions_at(f"127.0.0.1:{port}"):
                await asyncio.sleep(0.05)
        meeting.idle_s = 3600
        await meeting.append(AFTER)
        await meeting.audio.end()
        said = await asyncio.wait_for(meeting.heard(), PATIENCE_S)
        # As a server hears it that takes the meeting up at its end, without a pause: so is an upload heard.
        await meeting.let_go()
        meeting.acquire(port)
        once = await asyncio.wait_for(meeting.heard(), PATIENCE_S)
    assert any(isinstance(event, TurnEvent) for event in said.events)
    assert unrevised(said) == unrevised(once)
    assert {n: v.tolist() for n, v in said.vectors.items()} == {n: v.tolist() for n, v in once.vectors.items()}
