"""Stored answers in a real database: one of each family, written only when it changes."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from server.storage import insights
from server.storage.pool import Database
from tests.server.storage.rows import make_user, ready_meeting

DOCUMENT: dict[str, Any] = {"score": 0.1, "speakers": [{"speaker": 1, "share": 50}], "note": None, "text": "näive 🎈"}


async def row_version(owner: Database, meeting_id: UUID) -> str:
    """Of the only answer; PostgreSQL gives a new one to each row that is written."""
    version: str = await owner.run(
        lambda c: c.fetchval("SELECT xmin::text || ctid::text FROM insights WHERE meeting_id = $1", meeting_id)
    )
    return version


async def test_an_answer_comes_back_as_it_was_stored_and_no_other(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: insights.store(c, meeting_id, {"balance": ("1", DOCUMENT)}))
    assert await run(lambda c: insights.load(c, meeting_id, "balance")) == DOCUMENT
    assert await run(lambda c: insights.load(c, meeting_id, "energy")) is None
    assert await run(lambda c: insights.load(c, uuid4(), "balance")) is None


async def test_only_what_changed_is_written(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: insights.store(c, meeting_id, {"balance": ("1", DOCUMENT)}))
    first = await row_version(owner, meeting_id)
    await run(lambda c: insights.store(c, meeting_id, {"balance": ("1", dict(DOCUMENT))}))
    assert await row_version(owner, meeting_id) == first
    await run(lambda c: insights.store(c, meeting_id, {"balance": ("2", DOCUMENT)}))
    second = await row_version(owner, meeting_id)
    assert second != first
    await run(lambda c: insights.store(c, meeting_id, {"balance": ("2", {**DOCUMENT, "score": 0.2})}))
    assert await row_version(owner, meeting_id) != second
    stored = await run(lambda c: insights.load(c, meeting_id, "balance"))
    assert stored is not None
    assert stored["score"] == 0.2
