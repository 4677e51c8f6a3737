"""The durable audio of a live meeting: what is acknowledged is on disk, whole, and written by one process."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from server.audio.encodings import Encoding, TrackFormat, encode_record
from server.errors import HeldByAnotherServer
from server.live import source_log, track_log
from server.live.config import LiveConfig
from server.live.source_log import TrackLog
from server.live.track_log import MAX_BACKLOG_BYTES, HeldByAnotherProcess, MeetingAudio
from tests.recordings import RATE_HZ, ROOT, sample_pcm
from tests.server.audio.opus_audio import raw_packets
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds

ONE, TWO = of_kinds(MIXED), of_kinds(PARTICIPANT, PARTICIPANT)
CHUNK = 64 * 1024


@pytest.fixture
def syncing() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def audio_in(folder: Path, config: LiveConfig, syncing: ThreadPoolExecutor) -> MeetingAudio:
    logs = [TrackLog(track, folder / f"{track.track_id}.log") for track in config.tracks]
    return MeetingAudio(logs, folder / "holder", syncing)


@asynccontextmanager
async def held(folder: Path, config: LiveConfig, syncing: ThreadPoolExecutor) -> AsyncIterator[MeetingAudio]:
    """The audio of a meeting, held until the end of the context."""
    audio = audio_in(folder, config, syncing)
    await audio.open()
    try:
        yield audio
    finally:
        await audio.close()


@contextmanager
def busy(syncing: ThreadPoolExecutor) -> Iterator[None]:
    """The disk takes as long as the context lasts."""
    release = threading.Event()
    syncing.submit(release.wait)
    try:
        yield
    finally:
        release.set()


async def all_of(audio: MeetingAudio, place: int = 0) -> bytes:
    async with aclosing(audio.read(audio.logs[place])) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_what_is_committed_is_on_disk(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    async with held(tmp_path / "a" / "b", TWO, syncing) as audio:
        first, second = audio.logs
        await audio.append(first, b"abcd")
        await audio.append(second, b"xy")
        await audio.append(first, b"ef")
        assert (first.accepted, second.accepted) == (3, 1)
        await audio.wait_until_committed()
        assert (first.committed, second.committed) == (3, 1)
        assert (first.path.read_bytes(), second.path.read_bytes()) == (b"abcdef", b"xy")


async def test_nothing_counts_as_committed_before_the_disk_has_it(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        with busy(syncing):
            await audio.append(audio.logs[0], bytes(200))
            waiting = asyncio.create_task(audio.wait_until_committed())
            await asyncio.sleep(0.05)
            assert (audio.logs[0].accepted, audio.logs[0].committed) == (100, 0)
            assert not waiting.done()
        await waiting
        assert audio.logs[0].committed == 100


async def test_whoever_waits_for_the_disk_does_not_wait_for_the_common_moment(
    tmp_path: Path, syncing: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if all meetings synced once in an hour: without hurry the second wait would take that long.
    monkeypatch.setattr(track_log, "COMMIT_EVERY_S", 3600.0)
    async with held(tmp_path, TWO, syncing) as audio:
        for count in range(1, 50):
            await audio.append(audio.logs[0], b"ab")
            await audio.append(audio.logs[1], b"cd")
            await audio.wait_until_committed(audio.logs[0], count)
            assert audio.logs[0].path.read_bytes() == b"ab" * count


async def test_calls_that_wait_at_once_share_a_sync(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        (log,) = audio.logs
        with busy(syncing):
            waiting = []
            for count in range(1, 51):
                await audio.append(log, b"ab")
                waiting.append(asyncio.create_task(audio.wait_until_committed(log, count)))
            await asyncio.sleep(0)
        syncs = []
        write = source_log.write_batch

        def counted(batch: list[source_log.Write], check_holder: Callable[[], None]) -> None:
            syncs.append(len(batch))
            write(batch, check_holder)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(track_log, "write_batch", counted)
            await asyncio.gather(*waiting)
        assert log.committed == 50
        assert len(syncs) <= 2


async def test_a_call_waits_for_the_calls_before_it(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        (log,) = audio.logs
        order: list[int] = []

        async def call(position: int) -> None:
            await audio.wait_for_earlier("t0", position, 600)
            assert log.accepted == position
            await audio.append(log, position.to_bytes(2, "little"))
            order.append(position)

        late = [asyncio.create_task(call(position)) for position in range(20, 0, -1)]
        await asyncio.sleep(0)
        assert order == []
        await asyncio.gather(call(0), *late)
        assert order == list(range(21))


async def test_a_call_whose_predecessor_never_comes_gives_up(
    tmp_path: Path, syncing: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        await audio.wait_for_earlier("t0", 5, 0.01)
        await audio.wait_for_earlier("unknown", 5, 600)
        monkeypatch.setattr(track_log, "MAX_WAITING_CALLS", 1)
        first = asyncio.create_task(audio.wait_for_earlier("t0", 5, 600))
        await asyncio.sleep(0)
        # The second is over the limit and returns at once.
        await audio.wait_for_earlier("t0", 6, 600)
        assert not first.done()
        await audio.append(audio.logs[0], bytes(10))
        await first


async def test_whoever_waits_is_told_when_a_track_moves_or_ends(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    async with held(tmp_path, TWO, syncing) as audio:
        moved = asyncio.create_task(audio.wait_for_commit([0, 0]))
        await asyncio.sleep(0)
        assert not moved.done()
        await audio.append(audio.logs[1], bytes(20))
        await moved
        await audio.wait_for_commit([0, 0])
        over = asyncio.create_task(audio.wait_for_commit([0, 10]))
        await asyncio.sleep(0)
        assert not over.done()
        await audio.end()
        await over


@pytest.mark.parametrize("rest", [b"", b"\1"])
async def test_half_a_sample_is_cut_off_after_a_crash(tmp_path: Path, syncing: ThreadPoolExecutor, rest: bytes) -> None:
    (tmp_path / "t0.log").write_bytes(b"abcdef" + rest)
    async with held(tmp_path, ONE, syncing) as audio:
        (log,) = audio.logs
        assert (log.accepted, log.committed, log.committed_bytes) == (3, 3, 6)
        await audio.append(log, b"gh")
        await audio.end()
        assert log.path.read_bytes() == b"abcdefgh"
        assert await all_of(audio) == b"abcdefgh"


async def test_half_a_packet_is_cut_off_after_a_crash(tmp_path: Path, syncing: ThreadPoolExecutor) -> None:
    opus = TrackFormat(Encoding.OPUS, 48_000, 1)
    packets = raw_packets(sample_pcm()[: RATE_HZ // 5])
    whole = b"".join(encode_record(opus, packet) for packet in packets[:5])
    for left in (0, 1, 2, 10, len(packets[5]) + 1):
        (tmp_path / "t0.log").write_bytes(whole + encode_record(opus, packets[5])[:left])
        async with held(tmp_path, of_kinds(MIXED, format=opus), syncing) as audio:
            assert (audio.logs[0].accepted, audio.logs[0].committed_bytes) == (5 * 960, len(whole))
            await audio.append(audio.logs[0], packets[5])
            assert audio.logs[0].accepted == 6 * 960
            await audio.end()
            assert await all_of(audio) == whole + encode_record(opus, packets[5])


async def test_what_was_on_its_way_when_a_meeting_is_let_go_is_whole_or_absent(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        for _ in range(20):
            await audio.append(audio.logs[0], bytes(CHUNK))
            await asyncio.sleep(0)
        acknowledged = audio.logs[0].committed
    async with held(tmp_path, ONE, syncing) as audio:
        assert acknowledged <= audio.logs[0].committed <= 20 * CHUNK // 2
        assert audio.logs[0].path.stat().st_size == 2 * audio.logs[0].committed


def child(folder: Path, samples: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.server.live.track_log_child", str(folder), str(samples)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.children
async def test_two_processes_do_not_write_one_meeting_and_a_killed_one_lets_go(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    with child(tmp_path, 1000) as writer:
        try:
            assert await asyncio.to_thread(said, writer) == "held"
            with pytest.raises(HeldByAnotherProcess):
                await audio_in(tmp_path, ONE, syncing).open()
            assert (tmp_path / "t0.log").stat().st_size == 2000
        finally:
            writer.send_signal(signal.SIGKILL)
    async with held(tmp_path, ONE, syncing) as audio:
        assert audio.logs[0].committed == 1000
        with child(tmp_path, 1) as second:
            assert await asyncio.to_thread(said, second) == "held elsewhere"
    async with held(tmp_path, ONE, syncing):
        with pytest.raises(HeldByAnotherProcess):
            await audio_in(tmp_path, ONE, syncing).open()


async def test_a_disk_that_fails_is_told_to_all_who_wait_and_nothing_more_counts(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    folder = tmp_path / "meeting"
    async with held(folder, ONE, syncing) as audio:
        stands = asyncio.create_task(audio.wait_until_closed())
        await audio.append(audio.logs[0], bytes(2))
        await audio.wait_until_committed()
        shutil.rmtree(folder)
        await audio.append(audio.logs[0], bytes(2))
        with pytest.raises(HeldByAnotherServer):
            await audio.wait_until_committed()
        with pytest.raises(OSError, match=r"t0\.log"):
            await stands
        with pytest.raises(HeldByAnotherServer):
            await audio.end()
        assert audio.logs[0].committed == 1
        # Nobody waits for a disk that will not answer.
        await audio.append(audio.logs[0], bytes(MAX_BACKLOG_BYTES + 2))


async def test_whoever_waits_for_a_meeting_that_is_let_go_is_told_to_come_again(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        with busy(syncing):
            await audio.append(audio.logs[0], bytes(2))
            waiting = [
                asyncio.create_task(work)
                for work in (audio.wait_until_committed(), audio.end(), audio.wait_until_closed())
            ]
            await asyncio.sleep(0.05)
            closing = asyncio.create_task(audio.close())
            told = await asyncio.gather(*waiting, return_exceptions=True)
        await closing
    assert [type(one) for one in told] == [HeldByAnotherServer, HeldByAnotherServer, type(None)]


async def test_the_files_are_let_go_of_only_when_the_last_write_has_ended(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    async with held(tmp_path, ONE, syncing) as audio:
        with busy(syncing):
            await audio.append(audio.logs[0], b"abcd")
            await asyncio.sleep(0.05)
            closing = asyncio.create_task(audio.close())
            await asyncio.sleep(0.05)
            assert not closing.done()
            with ThreadPoolExecutor(1) as others, pytest.raises(HeldByAnotherProcess):
                await audio_in(tmp_path, ONE, others).open()
        await closing
        async with held(tmp_path, ONE, syncing) as again:
            assert again.logs[0].accepted == 2
            await again.append(again.logs[0], b"ef")
            await again.wait_until_committed()
            assert again.logs[0].path.read_bytes() == b"abcdef"


async def test_audio_that_comes_faster_than_the_disk_takes_it_waits(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    async with held(tmp_path, TWO, syncing) as audio:
        most = 0

        async def send(place: int) -> None:
            nonlocal most
            for _ in range(3 * MAX_BACKLOG_BYTES // CHUNK):
                await audio.append(audio.logs[place], bytes(CHUNK))
                most = max(most, sum(2 * (log.accepted - log.committed) for log in audio.logs))

        with busy(syncing):
            sending = asyncio.gather(send(0), send(1))
            await asyncio.sleep(0.1)
            assert not sending.done()
            assert sum(2 * log.accepted for log in audio.logs) <= MAX_BACKLOG_BYTES + 2 * CHUNK
        await sending
        await audio.wait_until_committed()
        assert most <= MAX_BACKLOG_BYTES + 2 * CHUNK
        assert [log.committed_bytes for log in audio.logs] == [3 * MAX_BACKLOG_BYTES] * 2


async def test_any_number_read_while_audio_comes_and_all_hear_the_same(
    tmp_path: Path, syncing: ThreadPoolExecutor
) -> None:
    said = sample_pcm()[: 5 * RATE_HZ].tobytes()
    (tmp_path / "t0.log").write_bytes(said[:10_000])
    async with held(tmp_path, ONE, syncing) as audio:
        readers = [asyncio.create_task(all_of(audio))]
        for start in range(10_000, len(said), 7000):
            await audio.append(audio.logs[0], said[start : start + 7000])
            if start % 3 == 0:
                await audio.wait_until_committed()
                readers.append(asyncio.create_task(all_of(audio)))
        assert not any(reader.done() for reader in readers)
        await audio.end()
        readers.append(asyncio.create_task(all_of(audio)))
        assert {data == said for data in await asyncio.gather(*readers)} == {True}
