"""The rows of the audit log: filters, pages, and how long they stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server.storage import AuditEvent, AuditFilter, audit
from server.storage.pool import Database
from tests.server.storage.rows import make_user

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
USER, KEY = uuid4(), uuid4()


@pytest.fixture
async def us(owner: Database) -> UUID:
    return (await make_user(owner)).organization_id


def event(us: UUID, number: int, **fields: object) -> AuditEvent:
    base = {
        "organization_id": us,
        "method": str(number),
        "action": "read",
        "happened_at": NOON + timedelta(hours=number),
    }
    return AuditEvent(**{**base, **fields})  # type: ignore[arg-type]


async def found(database: Database, us: UUID, wanted: AuditFilter) -> list[str]:
    """The methods of the events, newest first."""
    page = await database.run(lambda c: audit.list_page(c, us, wanted, 10), organization_id=us)
    assert page.ends_at is None
    return [row.method for row in page.events]


async def test_filters_select_and_pages_follow_each_other(database: Database, us: UUID) -> None:
    events = [
        event(us, 1, actor="user", user_id=USER, object_id="a" * 64),
        event(us, 2, actor="key", user_id=USER, key_id=KEY, action="delete", object_id="a" * 64),
        event(us, 3, actor="operator", action="change"),
        event(us, 4, count=3, last_at=NOON + timedelta(hours=6)),
    ]
    counts = await database.run(lambda c: audit.add(c, us, events), organization_id=us)
    assert counts == {"change": 1, "delete": 1, "read": 2}
    # Once more, as after a connection that broke at the commit.
    await database.run(lambda c: audit.add(c, us, events), organization_id=us)
    assert await found(database, us, AuditFilter()) == ["4", "3", "2", "1"]
    assert await found(database, us, AuditFilter(actor=str(USER))) == ["2", "1"]
    assert await found(database, us, AuditFilter(actor=str(KEY))) == ["2"]
    assert await found(database, us, AuditFilter(actor="operator")) == ["3"]
    assert await found(database, us, AuditFilter(object_id="a" * 64, action="read")) == ["1"]
    assert await found(database, us, AuditFilter(since=NOON + timedelta(hours=2), until=events[2].happened_at)) == ["2"]
    # An event counts from its first moment to its last.
    assert await found(database, us, AuditFilter(since=NOON + timedelta(hours=5))) == ["4"]
    page = await database.run(
        lambda c: audit.list_page(c, us, AuditFilter(), 2, (events[3].happened_at, events[3].id)), organization_id=us
    )
    assert [row.method for row in page.events] == ["3", "2"]
    assert page.ends_at == (events[1].happened_at, events[1].id)


async def test_a_page_ends_where_much_was_looked_at_and_the_next_goes_on(database: Database, us: UUID) -> None:
    events = [event(us, number, action="delete" if number % 7 == 0 else "read") for number in range(1, 31)]
    await database.run(lambda c: audit.add(c, us, events), organization_id=us)
    wanted, pages, before = AuditFilter(action="delete"), [], None
    while True:
        page = await database.run(
            lambda c, before=before: audit.list_page(c, us, wanted, 10, before, most_scanned=5),  # type: ignore[misc]
            organization_id=us,
        )
        pages.append([row.method for row in page.events])
        if (before := page.ends_at) is None:
            break
    assert [method for page_ in pages for method in page_] == ["28", "21", "14", "7"]
    assert all(len(page_) <= 1 for page_ in pages)
    assert len(pages) in (6, 7)


async def test_old_events_go_and_nobody_makes_the_servers_delete_recent_ones(
    owner: Database, database: Database, us: UUID
) -> None:
    now = datetime.now(UTC)
    events = [event(us, age, happened_at=now - timedelta(days=age)) for age in (1, 29, 31, 100, 400)]
    await database.run(lambda c: audit.add(c, us, events), organization_id=us)
    assert await database.run(lambda c: audit.delete_old(c, 365, 10)) == 1
    assert await found(database, us, AuditFilter()) == ["1", "29", "31", "100"]
    # A few at a time, and never those of the last 30 days.
    assert await database.run(lambda c: audit.delete_old(c, -5, 1)) == 1
    assert await database.run(lambda c: audit.delete_old(c, -5, 10)) == 1
    assert await database.run(lambda c: audit.delete_old(c, -5, 10)) == 0
    assert await found(database, us, AuditFilter()) == ["1", "29"]


async def test_the_operator_is_named_as_such(owner: Database, database: Database, us: UUID) -> None:
    await owner.run(lambda c: audit.add_by_operator(c, us, "meetra users role", "change", "user", USER))
    page = await database.run(lambda c: audit.list_page(c, us, AuditFilter(), 10), organization_id=us)
    (row,) = page.events
    assert (row.actor, row.user_id, row.method, row.object_kind, row.object_id) == (
        *("operator", None, "meetra users role", "user", str(USER)),
    )
