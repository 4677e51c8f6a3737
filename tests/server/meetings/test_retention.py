"""Retention on a real database and disk: what is due goes with a receipt each, once, whatever runs beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from server.audio import AudioLog
from server.insights import FAMILIES, compute_answers
from server.meetings import Deletion, Retention
from server.meetings.retention import BATCH, QUOTING
from server.storage import deletions, meetings
from server.storage.deletions import DeletionRow
from server.storage.pool import Connection, Database
from server.storage.users import User
from tests.server.conversation.spoken import talk
from tests.server.insights.talks import sentence
from tests.server.meetings.test_deletion import recorded
from tests.server.storage.rows import HASH, make_user, new_meeting, queued_meeting, ready_meeting
from tests.server.storage.test_retention import age, set_days

WORD = "quincunx"


async def receipts(database: Database, user: User) -> list[DeletionRow]:
    return await database.run(
        lambda c: deletions.list_page(c, user.organization_id, 900, None), organization_id=user.organization_id
    )


def retention_of(database: Database, folder: Path) -> Retention:
    return Retention(AudioLog(folder), database, every_s=0.05)


async def test_parts_go_one_after_the_other_with_a_receipt_each(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, answers={"transcript": ("1", {}), "balance": ("1", {})})
    folder = recorded(log, user.organization_id, HASH)
    await set_days(database, user, audio=10, transcript=20, meeting=30)
    keeper = retention_of(database, tmp_path)
    for days, receipt in (
        (9, None),
        (10, ("audio", {}, 2)),
        (20, ("transcript", {"conversations": 1, "insights": 1}, 0)),
        (30, ("meeting", {"insights": 1, "meeting_names": 1, "meetings": 1, "speakers": 2}, 0)),
    ):
        await age(owner, days + 0.1)
        assert await keeper.enforce() == (receipt is not None)
        assert await keeper.enforce() == 0
        newest = [(row.part, row.row_counts, row.files) for row in await receipts(database, user)][:1]
        assert newest == ([receipt] if receipt else [])
        assert folder.exists() == (days < 10)
    assert {(row.reason, row.user_id) for row in await receipts(database, user)} == {("retention", None)}
    assert all(row.files_removed_at for row in await receipts(database, user))
    assert not await owner.run(lambda c: c.fetchval("SELECT EXISTS (SELECT FROM meetings)"))


async def test_two_workers_at_once_delete_everything_once(owner: Database, database: Database, tmp_path: Path) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    hashes = [f"{number:064x}" for number in range(2 * BATCH + 3)]
    for file_hash in hashes:
        await ready_meeting(database, user, file_hash, labels=())
        recorded(log, user.organization_id, file_hash)
    await owner.run(lambda c: c.execute("UPDATE meetings SET created_at = now() - interval '9 days'"))
    await set_days(database, user, audio=1, transcript=2)
    workers = [retention_of(database, tmp_path) for _ in range(3)]
    # One passes over what another is at: whoever is last has deleted the rest.
    deleted = sum(await asyncio.gather(*(worker.enforce() for worker in workers))) + await workers[0].enforce()
    assert deleted == 2 * len(hashes)
    found = [(row.file_hash, row.part) for row in await receipts(database, user)]
    assert sorted(found) == sorted((file_hash, part) for file_hash in hashes for part in ("audio", "transcript"))
    assert list(log.recordings()) == []


async def test_what_somebody_works_on_is_passed_over(owner: Database, database: Database, tmp_path: Path) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user)
    await age(owner, 9)
    await set_days(database, user, meeting=1)

    async def correcting(connection: Connection) -> int:
        await connection.execute("SELECT FROM meetings FOR UPDATE")
        return await retention_of(database, tmp_path).enforce()

    async def uploading(connection: Connection) -> int:
        await meetings.lock_recording(connection, user.organization_id, HASH)
        return await retention_of(database, tmp_path).enforce()

    for work in (correcting, uploading):
        assert await database.run(work, organization_id=user.organization_id) == 0
    assert await retention_of(database, tmp_path).enforce() == 1


@pytest.mark.parametrize("part", ["audio", "meeting"])
async def test_a_crash_between_rows_and_files_is_made_good(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user)
    folder = recorded(log, user.organization_id, HASH)
    await age(owner, 9)
    await set_days(database, user, **{part: 1})

    def crash(self: Deletion, deletion: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(Deletion, "remove_files", crash)
        with pytest.raises(KeyboardInterrupt):
            await retention_of(database, tmp_path).enforce()
    assert folder.exists()
    await owner.run(lambda c: c.execute("UPDATE deletions SET deleted_at = deleted_at - interval '1 hour'"))
    running = asyncio.create_task(retention_of(database, tmp_path).run())
    async with asyncio.timeout(120):
        while not all(row.files_removed_at for row in await receipts(database, user)):
            await asyncio.sleep(0.02)
    running.cancel()
    assert [(row.part, row.files) for row in await receipts(database, user)] == [(part, 2)]
    assert not folder.exists()


async def test_a_failed_recording_that_comes_again_is_kept_anew(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await queued_meeting(database, user, HASH)
    await owner.run(lambda c: c.execute("DELETE FROM jobs"))
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    await age(owner, 9)
    await set_days(database, user, audio=1, transcript=1)
    assert await retention_of(database, tmp_path).enforce() == 2
    run = partial(database.run, organization_id=user.organization_id)
    assert not await run(lambda c: meetings.keeps_audio(c, user.organization_id, HASH))
    assert await run(lambda c: meetings.accept(c, new_meeting(user))) == "queued"
    folder = recorded(log, user.organization_id, HASH)
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    assert await run(lambda c: meetings.keeps_audio(c, user.organization_id, HASH))
    assert await owner.run(lambda c: c.fetchval("SELECT size_bytes FROM meetings")) == 1
    assert await retention_of(database, tmp_path).enforce() == 0
    assert folder.exists()


async def test_a_known_recording_does_not_bring_its_audio_back(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user)
    await age(owner, 9)
    await set_days(database, user, audio=1)
    assert await retention_of(database, tmp_path).enforce() == 1
    run = partial(database.run, organization_id=user.organization_id)
    assert await run(lambda c: meetings.accept(c, new_meeting(user))) == "ready"
    assert not await run(lambda c: meetings.keeps_audio(c, user.organization_id, HASH))


def test_answers_that_stay_hold_no_word_of_the_meeting() -> None:
    texts = [f"We need a {WORD} budget for the {WORD}.", f"Who pays for the {WORD}?", f"The {WORD} is {WORD}."]
    said = [sentence(1 + n % 2, 10.0 * n, 10.0 * n + 9, text, asks="?" in text) for n, text in enumerate(texts * 4)]
    spoken = talk(*((1 + n % 2, text) for n, text in enumerate(texts * 4)))
    answers = compute_answers(replace(spoken, sentences=tuple(said), duration_us=120_000_000))
    holding = {name for name, answer in answers.items() if WORD in str(answer.document)}
    assert {"topics", "questions", "key_points", "summaries", "notes", "quality", "timeline"} <= holding
    assert holding <= set(QUOTING)
    assert {family.name for family in FAMILIES if not family.quotes} == {
        *("audio_quality", "balance", "dynamics", "emotion_chunks", "emotions", "energy", "fragments"),
        *("interaction_score", "interactions", "sentiment", "shares"),
    }


async def test_a_recording_that_the_disk_does_not_let_go_of_holds_up_no_other(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    hashes = ["a" * 64, "b" * 64, "c" * 64]
    for file_hash in hashes:
        await ready_meeting(database, user, file_hash)
        recorded(log, user.organization_id, file_hash)
        await age(owner, 9, file_hash)
    await set_days(database, user, audio=1)
    measure = AudioLog.measure

    def broken(self: AudioLog, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        if file_hash == hashes[0]:
            raise OSError("a disk that is failing")
        return measure(self, organization_id, file_hash)

    with monkeypatch.context() as failing:
        failing.setattr(AudioLog, "measure", broken)
        assert await retention_of(database, tmp_path).enforce() == 2
    assert [file_hash for _, file_hash in log.recordings()] == hashes[:1]
    assert await retention_of(database, tmp_path).enforce() == 1
    assert list(log.recordings()) == []
