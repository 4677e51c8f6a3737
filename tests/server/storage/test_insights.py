"""Stored answers in a real database: one of each family, written only when it changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from server.storage import insights
from server.storage.pool import Database
from tests.server.storage.rows import ready_meeting, user_of

DOCUMENT: dict[str, Any] = {"score": 0.1, "speakers": [{"speaker": 1, "share": 50}], "note": None, "text": "näive 🎈"}


async def row_version(database: Database, meeting_id: UUID) -> str:
    """Of the only answer; PostgreSQL gives a new one to each row that is written."""
    version: str = await database.read(
        lambda c: c.fetchval("SELECT xmin::text || ctid::text FROM insights WHERE meeting_id = $1", meeting_id)
    )
    return version


async def test_an_answer_comes_back_as_it_was_stored_and_no_other(database: Database) -> None:
    meeting_id = await ready_meeting(database, await user_of(database))
    await database.run(lambda c: insights.store(c, meeting_id, {"balance": ("1", DOCUMENT)}))
    assert await database.read(lambda c: insights.load(c, meeting_id, "balance")) == DOCUMENT
    assert await database.read(lambda c: insights.load(c, meeting_id, "energy")) is None
    assert await database.read(lambda c: insights.load(c, uuid4(), "balance")) is None


async def test_only_what_changed_is_written(database: Database) -> None:
    meeting_id = await ready_meeting(database, await user_of(database))
    await database.run(lambda c: insights.store(c, meeting_id, {"balance": ("1", DOCUMENT)}))
    first = await row_version(database, meeting_id)
    await database.run(lambda c: insights.store(c, meeting_id, {"balance": ("1", dict(DOCUMENT))}))
    assert await row_version(database, meeting_id) == first
    await database.run(lambda c: insights.store(c, meeting_id, {"balance": ("2", DOCUMENT)}))
    second = await row_version(database, meeting_id)
    assert second != first
    await database.run(lambda c: insights.store(c, meeting_id, {"balance": ("2", {**DOCUMENT, "score": 0.2})}))
    assert await row_version(database, meeting_id) != second
    load = await database.read(lambda c: insights.load(c, meeting_id, "balance"))
    assert load is not None
    assert load["score"] == 0.2
