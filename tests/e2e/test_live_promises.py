"""Meetings as they are: people who listen, leave, are muted and come back; every message is checked as it comes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system
from tests.e2e.live_bot import Bot, connected, participant, speech
from tests.e2e.live_checker import FINAL, PARTIAL, STABLE, LiveChecker
from tests.e2e.test_live_http import OPEN, control, opened, send
from tests.recordings import RATE_HZ, solo

PAUSE_S, GRACE_S = 3, 4
# A second of audio in a quarter of one.
STEP_S, SPEED = 1.0, 4


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose pauses and grace periods are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETRA_LIVE_TRACK_PAUSE_S", str(PAUSE_S))
        patch.setenv("MEETRA_LIVE_GRACE_S", str(GRACE_S))
        system = start_system(tmp_path_factory.mktemp("short") / "data")
    yield system
    assert system.stop() == 0


class Meeting:
    """A meeting over a connection, checked as it goes on."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.check = bot, LiveChecker()
        self._sent: dict[str, int] = {}
        self._checked = 0

    async def send(self, *, step_s: float = STEP_S, **tracks: bytes) -> None:
        """Sends audio of tracks side by side, so much at a time, faster than it was spoken; the shorter ones end before
        the longer."""
        step = 2 * int(step_s * RATE_HZ)
        for start in range(0, max(map(len, tracks.values())), step):
            for track, pcm in tracks.items():
                if data := pcm[start : start + step]:
                    self._sent[track] = await self.bot.audio(data, self._sent.get(track, 0), track)
            await asyncio.sleep(STEP_S / SPEED)

    def caught_up(self) -> LiveChecker:
        """The checker, after everything that was received."""
        for response in self.bot.received[self._checked :]:
            self.check.hear(response)
        self._checked = len(self.bot.received)
        return self.check

    async def finish(self, rest: Rest) -> LiveChecker:
        """Finishes the meeting; no promise was broken, and REST tells the same."""
        finished = await self.bot.finish()
        check = self.caught_up()
        assert finished.status == "ready"
        check.check_rest(lambda path: rest.get(path, file_hash=finished.file_hash).json())
        assert check.broken == []
        return check


@asynccontextmanager
async def meeting_of(rest: Rest, *names: str) -> AsyncIterator[Meeting]:
    """A meeting of participants on tracks of their own."""
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[participant(name, name.title()) for name in names]))
        yield Meeting(bot)


@pytest.fixture(scope="module")
def somebody(short: System) -> Rest:
    return short.login()


def voice(name: str, seconds: float, start_s: float = 0) -> bytes:
    """A stretch of one speaker's voice."""
    return solo(name)[int(start_s * RATE_HZ) : int((start_s + seconds) * RATE_HZ)].astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return np.zeros(int(seconds * RATE_HZ), "<i2").tobytes()


async def test_listeners_and_tracks_that_never_send_hold_back_nobody(somebody: Rest) -> None:
    async with meeting_of(somebody, "ada", "lis", "lea", "spare") as meeting:
        said = voice("rms", 12) + silence(26)
        await meeting.send(ada=said, lis=silence(38), lea=silence(38))
        await meeting.bot.until(lambda: meeting.caught_up().final_ms >= 30_000)
        assert meeting.check.states("ada") == {FINAL}
        await meeting.finish(somebody)


async def test_who_leaves_holds_back_nobody_and_late_audio_is_announced(somebody: Rest) -> None:
    async with meeting_of(somebody, "ada", "bob") as meeting:
        await meeting.send(ada=voice("rms", 12) + silence(40), bob=voice("slt", 5))
        await meeting.bot.until(lambda: meeting.caught_up().final_ms >= 40_000)
        assert meeting.check.states("bob") == {FINAL}
        before = meeting.check.words("bob")
        assert len(before) >= 5
        # Back without a word about the pause: the audio goes on at its sample, long before what is final.
        await meeting.send(ada=silence(3), bob=voice("slt", 5, 6) + silence(1))
        await meeting.bot.until(lambda: meeting.caught_up().words("bob")[-1][0] > 5_000)
        late = [(w.code, w.track_id) for w in meeting.check.warnings if w.code == pb.WARNING_CODE_LATE_AUDIO]
        assert late == [(pb.WARNING_CODE_LATE_AUDIO, "bob")]
        final_ms = meeting.check.final_ms
        await meeting.send(ada=silence(8))
        await meeting.bot.until(lambda: meeting.caught_up().final_ms > final_ms)
        check = await meeting.finish(somebody)
        assert check.words("bob")[: len(before)] == before
        assert check.words("bob")[-1][0] > 5_000


async def test_a_sentence_is_told_whole_once_it_is_flushed_or_nothing_follows(somebody: Rest) -> None:
    for flushed in (True, False):
        async with meeting_of(somebody, "ada") as meeting:
            # The audio ends within a second of the last word; what is then missing is half a block of the engine.
            await meeting.send(ada=speech(5.1))
            if flushed:
                await meeting.bot.control(pb.CONTROL_FLUSH)
            await meeting.bot.until(lambda m=meeting: m.caught_up().states("ada") == {STABLE})  # type: ignore[misc]
            words = [text.strip(".,").lower() for _, _, text in meeting.check.words("ada")]
            assert words[-1] == "today"
            assert len(words) >= 8
            # It goes on, and so does what was said.
            await meeting.send(ada=speech(6, 5.1))
            await meeting.bot.until(lambda m=meeting: m.caught_up().words("ada")[-1][0] > 6_000)  # type: ignore[misc]
            await meeting.finish(somebody)
            assert PARTIAL not in meeting.check.states("ada")


def test_a_muted_browser_keeps_its_meeting_as_long_as_it_watches(somebody: Rest) -> None:
    ready = opened(somebody)
    assert (ready["limits"]["grace_s"], ready["limits"]["sender_s"]) == (GRACE_S, 10)
    path = f"{OPEN}/{ready['session_id']}/events"
    assert send(somebody, ready, 0, speech(0.5)).status_code == 200
    begun = time.monotonic()
    with somebody.http.stream("GET", path) as answer:
        lines = answer.iter_lines()
        beats = (line for line in lines if line.startswith("data: ") and "heartbeat" in line)
        # One at once, and another when nothing has happened for a while.
        next(beats)
        next(beats)
        # Nothing was sent for much longer than a sender is waited for, and the grace period.
        assert time.monotonic() - begun > 10 + GRACE_S
        assert send(somebody, ready, RATE_HZ // 2, speech(1)).status_code == 200
    status = somebody.settled(ready["file_hash"])
    assert status["status"] == "ready"
    told: list[str] = []
    reading = threading.Thread(target=lambda: told.extend(somebody.http.get(path).text.splitlines()), daemon=True)
    reading.start()
    reading.join(READY_TIMEOUT_S)
    kinds = [line for line in told if "WARNING_CODE_ENDING" in line or '"finished"' in line]
    assert ["ENDING" in kinds[0], "finished" in kinds[-1]] == [True, True]
    # Over as it is, it says so.
    assert control(somebody, ready, "CONTROL_FLUSH").status_code in (200, 409)
