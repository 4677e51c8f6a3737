"""A live meeting with an object store: what counts as durable, and what the next machine has of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.audio import Edit, ObjectStore, StoreUnavailable
from server.audio.segments import SegmentName, over_name
from server.errors import HeldByAnotherServer
from server.live import segment_sender, track_log
from server.live.segment_sender import SegmentRules
from server.live.track_log import MeetingAudio
from server.storage import MeetingLost
from tests.object_stores import ObjectServer
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.stored_meetings import HASH, LOCAL, ORGANIZATION, REMOTE, Machine

pytestmark = pytest.mark.children
PATIENCE_S = 300
CONFIG = of_kinds(PARTICIPANT, PARTICIPANT)
NEVER = SegmentRules(3600.0, acknowledges=False)


async def until(fulfilled: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await fulfilled():
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is written to, and let go of, at once."""
    monkeypatch.setattr(track_log, "COMMIT_EVERY_S", 0.01)


@pytest.fixture
def store(object_server: ObjectServer) -> ObjectStore:
    return object_server.fresh(1)


@pytest.fixture
def one(tmp_path: Path, store: ObjectStore) -> Machine:
    return Machine(tmp_path / "one", store, CONFIG)


@pytest.fixture
def other(tmp_path: Path, store: ObjectStore) -> Machine:
    return Machine(tmp_path / "other", store, CONFIG)


async def said(audio: MeetingAudio, *pieces: bytes, edits: tuple[Edit, ...] = ()) -> None:
    """Have audio of each track received and synced."""
    for log, piece in zip(audio.logs, pieces, strict=False):
        if piece:
            await audio.append(log, piece, edits=edits)
    async with asyncio.timeout(PATIENCE_S):
        while any(log.synced.position < log.accepted for log in audio.logs):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("rules", [LOCAL, REMOTE], ids=["local", "remote"])
async def test_another_machine_goes_on_with_what_the_store_has(
    one: Machine, other: Machine, rules: SegmentRules
) -> None:
    audio = await one.take(1, rules)
    await said(audio, b"abcd", b"xy", edits=(Edit(0, 3, True),))
    (one.folder / "cuts-0").write_bytes(b"2 4\nhalf of a li")
    await audio.cut_added()
    await said(audio, b"ef", b"")
    await audio.wait_until_committed()
    # It lets go: whoever is next finds all that was acknowledged.
    await audio.close()
    shutil.rmtree(one.folder)
    async with other.holding(2, rules) as audio:
        assert [log.committed for log in audio.logs] == [6, 4]
        assert (other.folder / "cuts-0").read_bytes() == b"2 4\n"
        await said(audio, b"gh", b"zz")
        await audio.wait_until_committed()
    expected = {
        "track-0.log": b"abcdefgh",
        "track-1.log": b"xyzz",
        "track-0.edits": b"0 3 1\n",
        "track-1.edits": b"0 3 1\n",
    }
    assert await other.received() == expected
    # The first machine comes back, without its disk; a second time, with the disk of an earlier holder.
    assert await one.received() == expected
    async with one.holding(3, rules) as audio:
        await said(audio, b"ij", b"")
        await audio.wait_until_committed()
    async with other.holding(4, rules) as audio:
        assert [log.committed for log in audio.logs] == [8, 5]
    expected["track-0.log"] += b"ij"
    assert await other.received() == expected


async def test_with_remote_nothing_is_acknowledged_before_the_store_has_it(
    one: Machine, other: Machine, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one.holding(1, REMOTE) as audio:
        with object_server.gone():
            await said(audio, b"abcd", b"xy")
            waiting = asyncio.create_task(audio.wait_until_committed())
            assert audio.behind == ""
            monkeypatch.setattr(segment_sender, "LATE_S", 1.0)
            await until(lambda: _is("acknowledged once it does" in audio.behind))
            assert [log.committed for log in audio.logs] == [0, 0]
            assert not waiting.done()
            # More than may wait: it is caught up with in few steps.
            for _ in range(100):
                await said(audio, b"ef", b"")
        async with asyncio.timeout(PATIENCE_S):
            await waiting
            await audio.wait_until_committed()
        assert [log.committed for log in audio.logs] == [102, 1]
        assert audio.behind_s == 0
        # Its disk is lost as it is.
        shutil.rmtree(one.folder)
        assert (await other.received())["track-0.log"] == b"abcd" + 100 * b"ef"


async def _is(fact: bool) -> bool:
    return fact


async def test_with_local_a_store_that_is_away_delays_nothing_and_is_caught_up_with(
    one: Machine, other: Machine, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_sender, "SEGMENT_BYTES", 1000)
    monkeypatch.setattr(track_log, "LET_GO_S", 0.1)
    with object_server.gone():
        audio = await one.take(1)
        await audio.append(audio.logs[0], bytes(range(256)) * 20)
        await audio.wait_until_committed()
        assert audio.logs[0].committed == 128 * 20
        await audio.close()
        # Again on the same machine: its disk has all of it, and the store need not be asked.
        audio = await one.take(2)
        assert audio.logs[0].committed == 128 * 20
        # Another one cannot know what there is.
        with pytest.raises(StoreUnavailable):
            await other.take(3)
    try:
        await until(lambda: _is(audio.behind_s == 0))
        assert (await other.received())["track-0.log"] == bytes(range(256)) * 20
    finally:
        await audio.close()


async def test_a_holder_that_is_none_any_more_finds_out_and_changes_nothing(one: Machine, other: Machine) -> None:
    late = await one.take(1, REMOTE)
    await said(late, b"abcd", b"")
    await late.wait_until_committed()
    async with other.holding(2, REMOTE) as audio:
        await said(audio, b"new!", b"")
        await audio.wait_until_committed()
        # The first one, on a machine of its own, knows nothing of it.
        await said(late, b"late", b"")
        with pytest.raises(HeldByAnotherServer):
            await late.wait_until_committed()
        with pytest.raises(MeetingLost):
            await late.wait_until_closed()
        assert late.logs[0].committed == 2
        await late.close()
        assert (await one.store.look()).objects.keys() >= {over_name(1), SegmentName(1, 1, 1).text}
    assert (await one.received())["track-0.log"] == b"abcdnew!"
    async with one.holding(3, REMOTE) as audio:
        assert (one.folder / "track-0.log").read_bytes() == b"abcdnew!"


async def test_many_segments_become_one(one: Machine, other: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_sender, "JOINED", 4)
    async with one.holding(1, REMOTE) as audio:
        for number in range(10):
            await said(audio, bytes([number, number]), b"")
            await audio.wait_until_committed()
        found = await one.store.look()
        # Beside the first, which says where this holder begins.
        assert [(name.first, name.last) for name in found.segments][:3] == [(0, 0), (1, 4), (5, 8)]
        assert len(found.objects) == len(found.segments) == 4
    assert (await other.received())["track-0.log"] == b"".join(bytes([n, n]) for n in range(10))


async def test_a_holder_that_lost_its_disk_before_the_store_had_anything_loses_only_that(
    one: Machine, other: Machine
) -> None:
    audio = await one.take(1, NEVER)
    await said(audio, b"abcd", b"")
    await audio.close(deleted=True)
    shutil.rmtree(one.folder)
    async with other.holding(2) as audio:
        assert [log.committed for log in audio.logs] == [0, 0]
        await said(audio, b"xy", b"")
    assert (await one.received())["track-0.log"] == b"xy"


async def test_files_of_a_backup_count_until_there_are_segments(
    one: Machine, other: Machine, store: ObjectStore
) -> None:
    audio = await one.take(1)
    await said(audio, b"abcd", b"xy")
    await audio.close(deleted=True)
    for path in one.folder.glob("track-*"):
        await store.put(f"{ORGANIZATION}/{HASH[:2]}/{HASH}/{path.name}", path)
    await one.store.remove_segments()
    shutil.rmtree(one.folder)
    assert await one.received() == {"track-0.log": b"abcd", "track-1.log": b"xy"}
    async with other.holding(2) as audio:
        assert [log.committed for log in audio.logs] == [2, 1]
        await said(audio, b"ef", b"")
    assert (await one.received())["track-0.log"] == b"abcdef"


async def test_segments_that_are_missing_are_no_shorter_meeting(
    one: Machine, other: Machine, store: ObjectStore
) -> None:
    async with one.holding(1, REMOTE) as audio:
        for _ in range(3):
            await said(audio, b"ab", b"")
            await audio.wait_until_committed()
    await store.delete([f"{ORGANIZATION}/{HASH[:2]}/{HASH}/{SegmentName(1, 1, 1).text}"])
    with pytest.raises(StoreUnavailable, match="segment 1 of holder 1 is missing"):
        await other.take(2, REMOTE)
