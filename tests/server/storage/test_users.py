"""Users and their organizations: one of each name, whatever the case of an address."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import uuid4

from server.storage import users
from server.storage.pool import Database
from tests.server.storage.rows import make_user


async def test_a_user_is_found_by_id_and_by_any_spelling_of_the_address(owner: Database, database: Database) -> None:
    user = await make_user(owner, email="Ada@Example.org")
    assert user.email == "ada@example.org"
    assert await database.run(lambda c: users.find_by_email(c, "ADA@example.ORG")) == user
    assert await database.run(lambda c: users.find_by_email(c, "adb@example.org")) is None
    assert await database.run(lambda c: users.find(c, uuid4())) is None


async def test_a_user_who_is_there_gets_the_new_password_and_stays_in_the_organization(
    owner: Database, database: Database
) -> None:
    first = await make_user(owner, "Here")
    again = await owner.run(lambda c: users.ensure_user(c, "Elsewhere", "HERE@example.org", "another hash"))
    user = await database.run(lambda c: users.find(c, again))
    assert user is not None
    assert (user.id, user.organization_id, user.password_hash) == (first.id, first.organization_id, "another hash")


async def test_users_made_at_once_share_one_organization(owner: Database) -> None:
    made = await asyncio.gather(*(make_user(owner, email=f"{number}@example.org") for number in range(6)))
    assert len({user.id for user in made}) == 6
    assert len({user.organization_id for user in made}) == 1


async def test_tokens_of_a_user_who_does_not_exist_cannot_be_revoked(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    assert not await owner.run(lambda c: users.revoke_tokens(c, "b@example.org"))
    assert await run(lambda c: users.is_authorized(c, user.id, 0.0))
    assert await owner.run(lambda c: users.revoke_tokens(c, "ORG@EXAMPLE.ORG"))
    assert not await run(lambda c: users.is_authorized(c, user.id, 0.0))
