"""What the trail writes at once, what within a second, and what it only counts; in a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from server.audit import AuditTrail
from server.storage import AuditEvent, AuditFilter, DatabaseUnavailable, ReferenceDeleted, audit
from server.storage.pool import Database
from tests.server.storage.rows import make_user

PATIENCE_S = 120


@pytest.fixture
async def us(owner: Database) -> UUID:
    return (await make_user(owner)).organization_id


def event(organization_id: UUID, action: str = "read", object_id: str = "", status: str = "OK") -> AuditEvent:
    return AuditEvent(
        organization_id=organization_id,
        method="Service/Method",
        action=action,
        actor="user",
        user_id=UUID(int=1),
        object_id=object_id,
        status=status,
    )


async def written(database: Database, organization_id: UUID) -> list[AuditEvent]:
    """All rows, oldest first; of a call that ended only its end."""
    page = await database.run(
        lambda c: audit.list_page(c, organization_id, AuditFilter(), 1000), organization_id=organization_id
    )
    return page.events[::-1]


async def test_what_is_written_is_there_when_the_call_returns(database: Database, us: UUID) -> None:
    trail, change = AuditTrail(database, 1000), event(us, "change")
    assert await trail.write(change)
    assert await written(database, us) == [replace(change, last_at=change.happened_at)]


async def test_what_is_noted_is_written_by_itself_and_at_the_latest_at_the_end(database: Database, us: UUID) -> None:
    trail = AuditTrail(database, 1000)
    running = asyncio.create_task(trail.run())
    trail.note(event(us, object_id="first"))
    async with asyncio.timeout(PATIENCE_S):
        while not await written(database, us):
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    trail.note(event(us, object_id="first"))
    trail.note(event(us, object_id="first"))
    trail.note(event(us, object_id="last"))
    await trail.close()
    found = [(row.object_id, row.count) for row in await written(database, us)]
    assert sorted(found) == [("first", 1), ("first", 2), ("last", 1)]


async def test_a_flood_of_reads_and_refusals_leaves_few_rows(database: Database, us: UUID) -> None:
    trail = AuditTrail(database, rows_per_day=20)
    for number in range(500):
        trail.note(event(us, "read", f"{number:064x}"))
        trail.note(event(us, "refused", f"{number:064x}"))
        if number % 10 == 9:
            await trail.flush()
    await trail.close()
    rows = await written(database, us)
    assert len(rows) <= 2 * (20 + 10 + 2)
    for action in ("read", "refused"):
        assert sum(row.count for row in rows if row.action == action) == 500
        counted = [row for row in rows if row.action == action and row.method == "*"]
        assert [(row.object_id, row.status, row.user_id) for row in counted] == [("", "*", UUID(int=1))] * 2


async def test_when_a_day_is_full_changes_are_counted_and_deletions_are_not(database: Database, us: UUID) -> None:
    trail = AuditTrail(database, rows_per_day=1)
    assert [await trail.write(event(us, "change")) for _ in range(3)] == [True, False, False]
    assert [await trail.write(event(us, "delete", str(number))) for number in range(3)] == [True, True, True]
    assert not await trail.write(event(us, "delete", "3", "MEETING_NOT_FOUND"))
    await trail.close()
    rows = await written(database, us)
    assert sorted(row.object_id for row in rows if row.action == "delete") == ["", "0", "1", "2"]
    assert sorted(row.count for row in rows if row.action == "change") == [1, 1, 1]


async def test_the_end_of_a_call_replaces_its_beginning(database: Database, us: UUID) -> None:
    trail = AuditTrail(database, rows_per_day=1)
    begun = event(us, "delete", status="")
    await trail.write(begun)
    assert [row.status for row in await written(database, us)] == [""]
    # Also when the day is full.
    await trail.write(replace(begun, id=uuid4(), status="MEETING_NOT_FOUND", begun_id=begun.id))
    assert [row.status for row in await written(database, us)] == ["MEETING_NOT_FOUND"]


async def test_events_wait_for_a_database_that_is_away(
    database: Database, us: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = AuditTrail(database, 1000)

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(database, "run", away)
        trail.note(event(us))
        await trail.flush()
        with pytest.raises(DatabaseUnavailable):
            await trail.write(event(us, "change"))
    await trail.flush()
    assert [row.action for row in await written(database, us)] == ["read"]


async def test_the_log_of_a_deleted_organization_is_gone_with_it(owner: Database, database: Database, us: UUID) -> None:
    trail = AuditTrail(database, 1000)
    trail.note(event(us))
    await owner.run(lambda c: c.execute("DELETE FROM organizations WHERE id = $1", us))
    await trail.flush()
    with pytest.raises(ReferenceDeleted):
        await trail.write(event(us, "change"))


async def test_what_is_being_written_when_the_server_stops_is_written(
    database: Database, us: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail, reached = AuditTrail(database, 1000), asyncio.Event()

    async def slow(*_: object, **__: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(database, "run", slow)
        running = asyncio.create_task(trail.run())
        trail.note(event(us))
        await asyncio.wait_for(reached.wait(), PATIENCE_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await trail.close()
    assert [row.action for row in await written(database, us)] == ["read"]


async def test_an_event_that_cannot_be_written_does_not_stop_the_others(database: Database, us: UUID) -> None:
    trail = AuditTrail(database, 1000)
    trail.note(event(us, "no such action"))
    await trail.flush()
    trail.note(event(us))
    await trail.flush()
    assert [row.action for row in await written(database, us)] == ["read"]
