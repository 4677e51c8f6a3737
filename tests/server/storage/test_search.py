"""The index of search in the database: rows, and what finds them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from server.storage import search, search_queries
from server.storage.pool import Connection, Database
from server.storage.search import SearchSentence, vector_text
from tests.server.storage.rows import fill_every_table, make_user, queued_meeting, ready_meeting


def row(number: int, text: str, vector: bytes = b"") -> SearchSentence:
    return SearchSentence(
        number, 1, 0, 1, "en", "", "", text, "english", text.lower(), "model" if vector else "", vector
    )


@pytest.mark.parametrize("seed", [pytest.param(1, id="one"), pytest.param(2, id="another")])
async def test_a_vector_comes_back_as_it_was(owner: Database, seed: int) -> None:
    given = np.random.default_rng(seed).standard_normal(384).astype("<f2")
    text = await owner.run(lambda c: c.fetchval("SELECT $1::text::halfvec::text", vector_text(given)))
    assert np.array_equal(np.array(text.strip("[]").split(","), "<f2"), given)


async def test_a_meeting_indexed_again_has_its_new_rows_alone(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    meeting_id = await ready_meeting(database, user)
    run = partial(database.run, organization_id=user.organization_id)
    for sentences in ([row(0, "One"), row(1, "Two")], [row(0, "Three")]):
        await run(
            partial(
                search.replace,
                organization_id=user.organization_id,
                meeting_id=meeting_id,
                version=1,
                sentences=sentences,
            )
        )
    assert await run(lambda c: c.fetchval("SELECT array_agg(text) FROM search_sentences")) == ["Three"]
    assert (await run(lambda c: search_queries.count_sentences(c, user.organization_id))).sentences == 1


async def test_meetings_to_index_are_ready_and_have_a_transcript(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    ready = await ready_meeting(database, user, "1" * 64)
    await ready_meeting(database, user, "2" * 64)
    await owner.run(lambda c: c.execute("UPDATE meetings SET transcript_deleted_at = now() WHERE id <> $1", ready))
    await queued_meeting(database, user, "3" * 64)
    unindexed = await database.run(lambda c: search.find_unindexed(c, 1, [], 9))
    assert unindexed == [(ready, user.organization_id)]
    assert await database.run(lambda c: search.find_unindexed(c, 1, [ready], 9)) == []
    await database.run(
        lambda c: search.replace(c, user.organization_id, ready, 1, []), organization_id=user.organization_id
    )
    assert await database.run(lambda c: search.find_unindexed(c, 1, [], 9)) == []
    assert await database.run(lambda c: search.find_unindexed(c, 2, [], 9)) == unindexed


async def test_a_meeting_that_is_not_ready_is_not_locked(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    ready = await ready_meeting(database, user, "1" * 64)
    await queued_meeting(database, user, "2" * 64)
    run = partial(database.run, organization_id=user.organization_id)
    waiting = await run(lambda c: c.fetchval("SELECT id FROM meetings WHERE status = 'queued'"))
    assert await run(lambda c: search.try_lock_meeting(c, user.organization_id, ready))
    assert not await run(lambda c: search.try_lock_meeting(c, user.organization_id, waiting))


async def test_words_are_found_by_the_index_and_in_one_organization(owner: Database, database: Database) -> None:
    ours, theirs = [await fill_every_table(owner, database, name, text="budget") for name in ("Ours", "Theirs")]

    async def found(connection: Connection) -> list[object]:
        rows = await connection.fetch(
            "SELECT organization_id FROM sentences_with_words('budget'::tsquery, '{english}', '{budget}'::tsquery[])"
        )
        return [record["organization_id"] for record in rows]

    assert await database.run(found, organization_id=ours.organization_id) == [ours.organization_id]
    assert await database.run(found, organization_id=theirs.organization_id) == [theirs.organization_id]
    assert await database.run(found) == []

    async def plan(connection: Connection) -> str:
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        rows = await connection.fetch(
            "EXPLAIN SELECT FROM search_sentences WHERE words @@ (quote_literal('@x')::tsquery && 'budget'::tsquery)"
        )
        return "\n".join(record[0] for record in rows)

    assert "search_sentences_words" in await owner.run(plan)
