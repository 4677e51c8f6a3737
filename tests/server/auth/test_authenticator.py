"""Who calls, by the metadata of a call, against users of a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from server.auth import Authenticator, UserWatch
from server.errors import Unauthenticated
from server.storage import users
from server.storage.pool import Connection, Database
from server.storage.users import User
from tests.server.signing import tokens
from tests.server.storage.rows import make_user

TOKENS = tokens(60)
PATIENCE_S = 300


def bearing(token: str | bytes) -> list[tuple[str, str | bytes]]:
    return [("user-agent", "a client"), ("authorization", token)]


async def test_a_user_with_a_good_token_is_known_by_any_spelling_of_the_scheme(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    token = TOKENS.issue(user.id, user.token_generation)
    for scheme in ("Bearer", "bearer", "BEARER"):
        authenticate = await Authenticator(TOKENS, database).authenticate([("Authorization", f"{scheme}  {token} ")])
        assert (authenticate.user_id, authenticate.organization_id) == (user.id, user.organization_id)
        assert (authenticate.role, authenticate.credential) == ("owner", TOKENS.validate(token))


async def test_whatever_else_is_in_the_metadata_is_refused(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    token = TOKENS.issue(user.id, user.token_generation)
    authenticator = Authenticator(TOKENS, database)
    refused: list[list[tuple[str, str | bytes]]] = [
        [],
        bearing(""),
        bearing("Bearer"),
        bearing("Bearer "),
        bearing(token),
        bearing(f"Basic {token}"),
        bearing(f"Bearer {token} {token}"),
        bearing(f"Bearer {token}".encode()),
        # Two of them: whoever checks the one and uses the other is deceived.
        [("authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
        [("authorization-bin", f"Bearer {token}")],
    ]
    for metadata in refused:
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(metadata)


async def test_a_user_who_does_not_exist_is_refused(database: Database) -> None:
    token = TOKENS.issue(uuid4(), 0)
    with pytest.raises(Unauthenticated):
        await Authenticator(TOKENS, database).authenticate(bearing(f"Bearer {token}"))


async def test_the_organization_is_that_of_the_user_whatever_is_known_of_the_token(
    owner: Database, database: Database
) -> None:
    user, elsewhere = await make_user(owner), await make_user(owner, "Elsewhere")
    metadata = bearing(f"Bearer {TOKENS.issue(user.id, user.token_generation)}")
    authenticator = Authenticator(TOKENS, database)
    await owner.run(
        lambda c: c.execute("UPDATE users SET organization_id = $1 WHERE id = $2", elsewhere.organization_id, user.id)
    )
    assert (await authenticator.authenticate(metadata)).organization_id == elsewhere.organization_id


VOIDING: dict[str, Callable[[Connection, User], Awaitable[object]]] = {
    "revoked": lambda c, user: users.void_tokens(c, user.organization_id, user.id),
    "disabled": lambda c, user: users.update(c, user.organization_id, user.id, disabled=True),
    "deleted": lambda c, user: users.delete(c, user.organization_id, user.id),
    "of another password": lambda c, user: users.ensure_user(c, "Org", user.email, "another hash"),
}


@pytest.mark.parametrize("change", VOIDING)
async def test_a_token_is_void_in_every_process_once_the_change_is_announced(
    owner: Database, database: Database, change: str
) -> None:
    user = await make_user(owner)
    metadata = bearing(f"Bearer {TOKENS.issue(user.id, user.token_generation)}")
    # This process and another: the change is made by neither.
    here, there = Authenticator(TOKENS, database), Authenticator(TOKENS, database)
    heard = asyncio.Event()
    watch = UserWatch(database, look_again_s=3600)
    watch.subscribe(here.forget)
    watch.subscribe(there.forget)

    async def hear(_: object) -> None:
        heard.set()

    watch.subscribe(hear)
    watching = asyncio.create_task(watch.run())
    # That it listens is told as a change of anybody.
    await asyncio.wait_for(heard.wait(), PATIENCE_S)
    heard.clear()
    for authenticator in (here, there):
        await authenticator.authenticate(metadata)
    await owner.run(lambda c: VOIDING[change](c, user))
    await asyncio.wait_for(heard.wait(), PATIENCE_S)
    for authenticator in (here, there):
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(metadata)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_enabling_a_user_again_does_not_give_their_tokens_back(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    metadata = bearing(f"Bearer {TOKENS.issue(user.id, user.token_generation)}")
    for disabled in (True, True, False):
        await owner.run(lambda c, d=disabled: users.update(c, user.organization_id, user.id, disabled=d))  # type: ignore[misc]
    with pytest.raises(Unauthenticated):
        await Authenticator(TOKENS, database).authenticate(metadata)


async def test_what_was_read_before_a_change_is_not_remembered_after_it(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    metadata = bearing(f"Bearer {TOKENS.issue(user.id, user.token_generation)}")
    authenticator = Authenticator(TOKENS, database)
    reading = asyncio.create_task(authenticator.authenticate(metadata))
    # It waits for the database now; the change comes while its answer is on the way.
    await asyncio.sleep(0)
    await authenticator.forget({user.id})
    await reading
    await owner.run(lambda c: users.void_tokens(c, user.organization_id, user.id))
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(metadata)
