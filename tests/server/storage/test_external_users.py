"""Users whom an external issuer names: found by what is in their row, made in one organization."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from server.storage import external_users, organizations, users
from server.storage.pool import Database
from tests.server.storage.rows import make_user


async def test_a_token_issued_before_all_tokens_were_voided_is_void(owner: Database, database: Database) -> None:
    user = await make_user(owner, "Org", "a@example.org")

    async def found(issued_at: datetime, organization: str = "") -> bool:
        return (
            await database.run(lambda c: external_users.find(c, user.email, uuid4(), issued_at, organization))
        ) is not None

    past, future = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(seconds=5)
    assert await found(past)
    # What voids nothing changes nothing.
    await owner.run(lambda c: users.update(c, user.organization_id, user.id, role="reader"))
    assert await found(past)
    await owner.run(lambda c: users.void_tokens(c, user.organization_id, user.id))
    assert not await found(past)
    assert await found(future)
    assert await found(future, "Org")
    assert not await found(future, "Elsewhere")


async def test_an_address_is_taken_once_whoever_s_it_is(owner: Database, database: Database) -> None:
    ours, theirs = await make_user(owner, "Org"), await make_user(owner, "Elsewhere", "b@example.org")
    id_ = await database.run(lambda c: organizations.find_named(c, "Org"))
    assert id_ == ours.organization_id
    assert await database.run(lambda c: organizations.find_named(c, "Nowhere")) is None
    made = await database.run(lambda c: external_users.add(c, id_, "new@example.org", "bot"), organization_id=id_)
    assert made is not None
    for email in ("new@example.org", theirs.email):
        again = await database.run(lambda c, e=email: external_users.add(c, id_, e, "bot"), organization_id=id_)  # type: ignore[misc]
        assert again is None


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (id, organization_id, email, role) SELECT gen_random_uuid(),"
        " organization_by_name('Elsewhere'), 'new@example.org', 'owner'",
        "INSERT INTO users (id, organization_id, email, role, password_hash) SELECT gen_random_uuid(),"
        " organization_by_name('Org'), 'new@example.org', 'owner', 'hash'",
        "UPDATE users SET external_tokens_after = '-infinity'",
    ],
    ids=["in another organization", "with a password", "back in time"],
)
async def test_a_wrong_statement_makes_no_user_elsewhere_and_gives_no_token_back(
    owner: Database, database: Database, statement: str
) -> None:
    user = await make_user(owner, "Org")
    await make_user(owner, "Elsewhere")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.run(lambda c: c.execute(statement), organization_id=user.organization_id)
