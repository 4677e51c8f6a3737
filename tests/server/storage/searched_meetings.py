"""Meetings that are searched, without an analysis: rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from server.storage import search
from server.storage.pool import Connection, Database
from server.storage.search import SKETCHED_SINCE, SearchSentence
from tests.server.storage.rows import make_user, ready_meeting

# By meeting, the newest first: the words of its sentences.
MEETINGS = (
    ("common", "common other", "common"),
    ("common", "other", "common seldom"),
    ("common", "common other seldom", "seldom"),
)


async def searched_organization(
    owner: Database,
    database: Database,
    meetings: Sequence[Sequence[str]] = MEETINGS,
    vectors: Sequence[Sequence[bytes]] = (),
) -> UUID:
    """An organization with meetings, a day between two of them, named by their place; speaker 2 says every second
    sentence. Each sentence has a vector, float16, where there are any.
    """
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    for day, texts in enumerate(meetings):
        meeting_id = await ready_meeting(database, user, f"{day:064x}")
        await run(
            lambda c, i=meeting_id, d=day: c.execute(  # type: ignore[misc]
                "UPDATE meetings SET held_on = $2, name = $3 WHERE id = $1", i, f"2026-03-{20 - d:02}", str(d)
            )
        )
        own = vectors[day] if vectors else [b""] * len(texts)
        rows = [
            SearchSentence(n, 1 + n % 2, 0, 1, "en", "", "", text, "simple", text, "model" if vector else "", vector)
            for n, (text, vector) in enumerate(zip(texts, own, strict=True))
        ]
        await run(partial(_index, meeting_id=meeting_id, rows=rows))
    return user.organization_id


async def _index(connection: Connection, meeting_id: UUID, rows: list[SearchSentence]) -> None:
    organization_id = await connection.fetchval("SELECT current_organization()")
    await search.replace(connection, organization_id, meeting_id, SKETCHED_SINCE, rows)
