"""An engine that starts anew says words provisionally at first: what clients were told as final does not go back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.conversation import Heard
from server.engine.inference_client import InferenceClient
from server.live.config import LiveConfig
from server.live.copied_turns import CopiedTurns
from server.live.published_state import PublishedState
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts
from server.live.track_feed import Reach, TrackFeed
from server.live.track_log import MeetingAudio
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import PARTIAL, ScriptedEngine, Session, progress, scripted_engine, turn
from tests.server.live.test_turns import MEETING, stored

PATIENCE_S = 300
# A participant who comes 100 s late: times of events are the meeting's.
LATE = of_kinds(PARTICIPANT, start_us=100_000_000)
ROOM = of_kinds(MIXED)


class Meeting:
    """A meeting of one track on a scripted engine, and what clients were told of it."""

    def __init__(self, engine: ScriptedEngine, address: str, folder: Path, config: LiveConfig) -> None:
        self.engine, self._client, self.config = engine, InferenceClient(address), config
        self._syncing = ThreadPoolExecutor(1)
        self._audio = MeetingAudio([TrackLog(config.tracks[0], folder / "t0.log")], folder / "holder", self._syncing)
        self.events: list[pb.LiveEvent] = []
        self._said_more = asyncio.Condition()
        self._progressed = 0
        self._hearing: asyncio.Task[object] | None = None

    async def open(self) -> None:
        """The meeting has audio: without it no engine is asked for anything."""
        await self._audio.open()
        await self._audio.append(self._audio.logs[0], bytes(2 * RATE_HZ))

    async def acquire(self, copied: CopiedTurns | None = None) -> Session:
        """As a server that holds the meeting from now on, with what was told before."""
        await self.let_go()
        self.told = PublishedState(self.config, MEETING)
        self.told.restore(stored(self.events))
        self.feed = TrackFeed(
            MEETING,
            self.config,
            0,
            self._audio,
            self.told,
            self._client,
            self._tell,
            organization_id=MEETING,
            idle_s=3600,
            cuts=TrackCuts(self._audio.logs[0].path.with_name("cuts")),
            copied=copied,
        )
        self._hearing = asyncio.create_task(self.feed.run())
        return await self.engine.session()

    async def let_go(self) -> None:
        """As a server that dies."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def close(self) -> None:
        await self.let_go()
        await self._client.close()
        await self._audio.close()
        self._syncing.shutdown()

    async def _tell(self) -> None:
        async with self._said_more:
            self.events += stored(self.told.changes(()))
            self._progressed += 1
            self._said_more.notify_all()

    async def after(self, session: Session, *said: session_pb2.Turn | session_pb2.Progress) -> list[pb.LiveEvent]:
        """What clients are told once the engine has said this, the last of it a progress."""
        before, told = self._progressed, len(self.events)
        rounds = sum(isinstance(one, session_pb2.Progress) for one in said)
        session.say(*said)
        async with self._said_more, asyncio.timeout(PATIENCE_S):
            await self._said_more.wait_for(lambda: self._progressed == before + rounds)
        return self.events[told:]


Opened = Callable[[LiveConfig], Meeting]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    meetings: list[Meeting] = []
    async with scripted_engine() as (engine, address):

        def make(config: LiveConfig) -> Meeting:
            meetings.append(Meeting(engine, address, tmp_path, config))
            return meetings[-1]

        yield make
        for meeting in meetings:
            await meeting.close()


def told(events: list[pb.LiveEvent]) -> list[tuple[int, str, str]]:
    """Segment, state and words of the turns among events."""
    turns = [event.turn for event in events if event.WhichOneof("event") == "turn"]
    short = {t.segment_id: pb.LiveTurnState.Name(t.state).removeprefix("LIVE_TURN_STATE_") for t in turns}
    return [(t.segment_id, short[t.segment_id], " ".join(w.text for w in t.words)) for t in turns]


def marks(events: list[pb.LiveEvent]) -> list[tuple[int, int]]:
    """The watermarks among events, in seconds of the meeting."""
    found = [event.watermark for event in events if event.WhichOneof("event") == "watermark"]
    return [(m.final_through_ms // 1000, m.words_final_through_ms // 1000) for m in found]


FIRST = (turn(1, 0, 4, "good morning everyone"), turn(2, 5, 9, "right so"))
# The same turns as a new engine says them at first: heard, and not yet with the words that follow.
AGAIN = (turn(1, 0, 4, "good mourning every"), turn(2, 5, 9, "right sew"))


async def both_told(meeting: Meeting) -> Session:
    """The words of the first turn are final, those of the second are not."""
    await meeting.open()
    session = await meeting.acquire()
    await meeting.after(session, *FIRST, progress(10, 10, 5))
    return session


async def test_words_that_are_final_stay_when_an_engine_says_them_anew(opened: Opened) -> None:
    meeting = opened(ROOM)
    session = await both_told(meeting)
    assert marks(meeting.events) == [(0, 5)]
    session.die()
    session = await meeting.engine.session()
    # As much is heard, with words, as before; but the words are provisional yet.
    assert await meeting.after(session, *AGAIN, progress(10, 10, 0)) == []
    assert await meeting.after(session, progress(11, 11, 4.9)) == []
    assert meeting.told.turns.is_catching_up(0)
    # Now the words of the first turn are final, and as they were told; those of the second may be others.
    events = await meeting.after(session, FIRST[0], progress(12, 12, 5))
    assert told(events) == [(2, "STABLE", "right sew")]
    assert marks(events) == []
    assert told(await meeting.after(session, FIRST[1], progress(13, 13, 10))) == [(2, "STABLE", "right so")]
    assert marks(meeting.events) == [(0, 5), (0, 10)]


async def test_the_same_holds_when_the_server_itself_starts_anew(opened: Opened) -> None:
    meeting = opened(ROOM)
    await both_told(meeting)
    session = await meeting.acquire()
    assert await meeting.after(session, *AGAIN, progress(10, 10, 0), progress(10, 10, 4.9)) == []
    events = await meeting.after(session, FIRST[0], FIRST[1], progress(10, 10, 5))
    assert (told(events), marks(events)) == ([], [])
    assert not meeting.told.turns.is_catching_up(0)


async def test_a_late_participants_words_are_final_by_the_tracks_own_time(opened: Opened) -> None:
    meeting = opened(LATE)
    await meeting.open()
    session = await meeting.acquire()
    meeting.told.turns.settle_speakers(0)
    events = await meeting.after(session, *FIRST, progress(10, 10, 5))
    assert told(events) == [(1, "FINAL", "good morning everyone"), (2, "STABLE", "right so")]
    assert marks(events) == [(105, 105)]
    session = await meeting.acquire()
    meeting.told.turns.settle_speakers(0)
    assert await meeting.after(session, *AGAIN, progress(10, 10, 4)) == []
    events = await meeting.after(session, FIRST[0], progress(20, 20, 9))
    # By then the engine stands by other words for the second.
    assert told(events) == [(2, "FINAL", "right sew")]
    assert marks(events) == [(109, 109)]


async def test_a_final_turn_stays_whatever_the_next_engine_says(opened: Opened) -> None:
    meeting = opened(LATE)
    await meeting.open()
    session = await meeting.acquire()
    meeting.told.turns.settle_speakers(0)
    await meeting.after(session, *FIRST, progress(10, 10, 5))
    session.die()
    session = await meeting.engine.session()
    assert told(await meeting.after(session, *AGAIN, progress(10, 10, 10))) == [(2, "FINAL", "right sew")]


@pytest.mark.parametrize("server", [False, True], ids=["the engine", "the server"])
async def test_words_that_were_told_do_not_vanish_when_one_starts_anew(opened: Opened, server: bool) -> None:
    meeting = opened(ROOM)
    await meeting.open()
    session = await meeting.acquire()
    # The last word ends at 9 s.
    open_turn = turn(1, 0, 9, "so what we have", state=PARTIAL)
    open_turn.end_us = 10_000_000
    await meeting.after(session, open_turn, progress(10, 9, 0))
    if server:
        session = await meeting.acquire()
    else:
        session.die()
        session = await meeting.engine.session()
    assert await meeting.after(session, turn(1, 0, 10, "", state=PARTIAL), progress(10, 0, 0)) == []
    assert await meeting.after(session, turn(1, 0, 10, "so what", state=PARTIAL), progress(10, 6, 0)) == []
    assert await meeting.after(session, open_turn, progress(10, 9, 0)) == []
    assert not meeting.told.turns.is_catching_up(0)


async def test_an_engine_that_dies_while_it_catches_up_leaves_as_much_to_catch_up(opened: Opened) -> None:
    meeting = opened(ROOM)
    session = await both_told(meeting)
    for _ in range(2):
        session.die()
        session = await meeting.engine.session()
        assert await meeting.after(session, *AGAIN, progress(8, 8, 0)) == []
    assert await meeting.after(session, *AGAIN, progress(10, 10, 4)) == []
    assert told(await meeting.after(session, *FIRST, progress(10, 10, 5))) == []
    assert not meeting.told.turns.is_catching_up(0)


async def test_a_language_is_told_once_and_again_when_it_changes(opened: Opened) -> None:
    def languages(events: list[pb.LiveEvent]) -> list[tuple[str, str, float | None]]:
        said = [event.language for event in events if event.WhichOneof("event") == "language"]
        return [(s.track_id, s.language, s.confidence if s.HasField("confidence") else None) for s in said]

    meeting = opened(ROOM)
    await meeting.open()
    session = await meeting.acquire()
    assert languages(await meeting.after(session, progress(1, 1, 0))) == []
    events = await meeting.after(session, FIRST[0], progress(5, 5, 5, "de", 0.75), progress(6, 6, 5, "de", 0.8))
    assert languages(events) == [("t0", "de", 0.75)]
    events = await meeting.after(session, FIRST[1], progress(10, 10, 10, "en-GB"))
    assert languages(events) == [("t0", "en", None)]
    # Engines that begin anew hear German first.
    session.die()
    session = await meeting.engine.session()
    events = await meeting.after(session, *FIRST, progress(5, 5, 5, "de", 0.75), progress(10, 10, 10, "en"))
    session = await meeting.acquire()
    events += await meeting.after(session, *FIRST, progress(5, 5, 5, "de", 0.75), progress(10, 10, 10, "en"))
    assert languages(events) == []
    assert languages(await meeting.after(session, progress(11, 11, 10, "fr"))) == [("t0", "fr", None)]


async def test_a_session_is_told_the_language_and_what_may_be_said(opened: Opened) -> None:
    meeting = opened(replace(LATE, key_terms=("Kubernetes", "p0")))
    await meeting.open()
    config = (await meeting.acquire()).config
    assert (config.language, list(config.key_terms), config.live) == ("en", ["P0", "Kubernetes"], True)


def test_what_is_further_in_everything_covers_the_other() -> None:
    assert Reach(3, 2, 1).covers(Reach(3, 2, 1))
    assert Reach(9, 9, 0).covers(Reach())
    for other in (Reach(4, 0, 0), Reach(0, 3, 0), Reach(0, 0, 2)):
        assert not Reach(3, 2, 1).covers(other)
    assert Reach(3, 0, 1).maximum(Reach(1, 2, 1)) == Reach(3, 2, 1)


async def test_a_copy_that_was_taken_back_does_not_come_again_with_another_server(opened: Opened) -> None:
    meeting = opened(of_kinds(PARTICIPANT))
    await meeting.open()

    def judge(copied: CopiedTurns) -> list[pb.LiveEvent]:
        """The first four seconds are the track's own, the next six another's."""
        for shown in copied.judged([Heard.OWN] * 16 + [Heard.COPY] * 24, idle=False):
            meeting.told.turns.update(shown)
        meeting.feed.mark_words_final()
        return stored(meeting.told.changes(()))

    copied = CopiedTurns(0, compared=True)
    session = await meeting.acquire(copied)
    meeting.told.turns.settle_speakers(0)
    await meeting.after(session, *FIRST, progress(10, 10, 10))
    meeting.events += judge(copied)
    assert told(meeting.events)[-2:] == [(1, "FINAL", "good morning everyone"), (2, "RETRACTED", "")]
    copied = CopiedTurns(0, compared=True)
    session = await meeting.acquire(copied)
    meeting.told.turns.settle_speakers(0)
    assert await meeting.after(session, *FIRST, progress(10, 10, 10)) == []
    assert meeting.told.turns.is_catching_up(0)
    assert judge(copied) == []
    assert not meeting.told.turns.is_catching_up(0)
