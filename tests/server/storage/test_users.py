"""Users and their organizations: one of each name, whatever the case of an address."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from server.storage import EmailTaken, live, users
from server.storage.pool import Database
from tests.server.storage.rows import fill_every_table, make_user


async def test_a_user_is_found_by_id_and_by_any_spelling_of_the_address(owner: Database, database: Database) -> None:
    user = await make_user(owner, email="Ada@Example.org")
    assert user.email == "ada@example.org"
    assert await database.run(lambda c: users.find_by_email(c, "ADA@example.ORG")) == user
    assert await database.run(lambda c: users.find_by_email(c, "adb@example.org")) is None
    assert await owner.run(lambda c: users.find(c, uuid4())) is None


async def test_a_user_who_is_there_gets_the_new_password_and_their_tokens_are_void(
    owner: Database, database: Database
) -> None:
    first = await make_user(owner, "Here", role="reader")
    again = await owner.run(lambda c: users.ensure_user(c, "Here", "HERE@example.org", "another hash"))
    user = await database.run(lambda c: users.find_by_email(c, "here@example.org"))
    assert user is not None
    assert (user.id, user.password_hash, user.role) == (first.id, "another hash", "reader")
    assert again == first.id
    assert user.token_generation == first.token_generation + 1


async def test_nobody_gets_a_password_of_another_organization_s_user(owner: Database) -> None:
    first = await make_user(owner, "Here")
    with pytest.raises(EmailTaken):
        await owner.run(lambda c: users.ensure_user(c, "Elsewhere", "HERE@example.org", "another hash"))
    assert await owner.run(lambda c: users.find(c, first.id)) == first
    # Nor is there an organization without anybody.
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM organizations")) == 1


async def test_users_made_at_once_share_one_organization(owner: Database) -> None:
    made = await asyncio.gather(*(make_user(owner, email=f"{number}@example.org") for number in range(6)))
    assert len({user.id for user in made}) == 6
    assert len({user.organization_id for user in made}) == 1


async def test_the_first_user_of_an_organization_is_its_owner(owner: Database) -> None:
    for email in ("a@example.org", "b@example.org", "c@example.org"):
        await owner.run(lambda c, e=email: users.ensure_user(c, "Org", e, "hash"))  # type: ignore[misc]
    listed = await owner.run(lambda c: users.list_all(c, "Org"))
    assert [user.role for user in listed] == ["owner", "member", "member"]
    assert await owner.run(lambda c: users.list_all(c, "Elsewhere")) == []


async def test_a_deleted_user_s_meetings_stay(owner: Database, database: Database) -> None:
    rows = await fill_every_table(owner, database, "Org")
    run = partial(database.run, organization_id=rows.organization_id)
    assert await run(lambda c: users.delete(c, rows.organization_id, rows.user.id))
    assert not await run(lambda c: users.delete(c, rows.organization_id, rows.user.id))
    assert await run(lambda c: c.fetchval("SELECT count(*) FROM meetings WHERE user_id IS NULL")) == 2
    held = await run(lambda c: live.find(c, rows.organization_id, rows.live_meeting_id))
    assert held is not None
    assert held.user_id is None


async def test_a_logged_out_token_is_void_and_forgotten_once_it_has_expired(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    kept, old, new = uuid4(), uuid4(), uuid4()

    async def valid(token_id: UUID) -> bool:
        return await run(lambda c: users.find_by_token(c, user.id, token_id, 0)) is not None

    for token_id, hours in ((old, -1), (new, 1)):
        expires_at = datetime.now(UTC) + timedelta(hours=hours)
        await run(lambda c, t=token_id, e=expires_at: users.log_out(c, user.organization_id, user.id, t, e))  # type: ignore[misc]
    assert [await valid(token_id) for token_id in (kept, new)] == [True, False]
    assert await run(lambda c: c.fetchval("SELECT array_agg(token_id) FROM logged_out_tokens")) == [new]


async def test_who_logs_out_without_end_loses_all_tokens(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    for _ in range(4):
        await run(lambda c: users.log_out(c, user.organization_id, user.id, uuid4(), expires_at, most=3))
    assert await run(lambda c: c.fetchval("SELECT count(*) FROM logged_out_tokens")) == 0
    assert await run(lambda c: users.find_by_token(c, user.id, uuid4(), 0)) is None
