"""Who calls, by the metadata of a call, against users of a real database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from server.auth import Authenticator, Tokens
from server.errors import Unauthenticated
from server.storage import users
from server.storage.pool import Database
from tests.server.storage.rows import make_user

TOKENS = Tokens("s" * 40, 60)


def bearing(token: str | bytes) -> list[tuple[str, str | bytes]]:
    return [("user-agent", "a client"), ("authorization", token)]


async def test_a_user_with_a_good_token_is_known_by_any_spelling_of_the_scheme(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    token = TOKENS.issue(user.id, user.organization_id)
    for scheme in ("Bearer", "bearer", "BEARER"):
        authenticate = await Authenticator(TOKENS, database).authenticate([("Authorization", f"{scheme}  {token} ")])
        assert (authenticate.user_id, authenticate.organization_id) == (user.id, user.organization_id)
        assert authenticate.token_issued_at == TOKENS.validate(token).issued_at


async def test_whatever_else_is_in_the_metadata_is_refused(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    token = TOKENS.issue(user.id, user.organization_id)
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
    token = TOKENS.issue(uuid4(), uuid4())
    with pytest.raises(Unauthenticated):
        await Authenticator(TOKENS, database).authenticate(bearing(f"Bearer {token}"))


async def test_a_revoked_token_is_refused_by_whoever_has_not_just_seen_its_user(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    metadata = bearing(f"Bearer {TOKENS.issue(user.id, user.organization_id)}")
    before = Authenticator(TOKENS, database)
    await before.authenticate(metadata)
    assert await owner.run(lambda c: users.revoke_tokens(c, user.email))
    # One query in five seconds a user: what was known a moment ago is believed.
    await before.authenticate(metadata)
    with pytest.raises(Unauthenticated):
        await Authenticator(TOKENS, database).authenticate(metadata)
