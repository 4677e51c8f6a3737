"""Session tokens of callers of each kind, against users of a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from server.auth import Authenticator, Caller, ExternalToken, SessionClaims, SessionGrants
from server.errors import PermissionDenied, Unauthenticated
from server.storage import users
from server.storage.pool import Database
from tests.server.signing import tokens
from tests.server.storage.rows import make_user


def bearing(token: str) -> list[tuple[str, str | bytes]]:
    return [("authorization", f"Bearer {token}")]


async def test_one_of_an_external_token_ends_with_its_user_s_tokens(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    now, session = datetime.now(UTC), uuid4()
    until = (now + timedelta(seconds=90)).timestamp()
    shown = ExternalToken(user.email, "", uuid4(), now, until)
    authenticator = Authenticator(tokens(), database)
    grants = SessionGrants(authenticator.session_tokens, database)
    backend = Caller(user.id, user.organization_id, shown, "owner")
    token, expires_at = await grants.create(backend, session, ["send"], 3600)
    assert expires_at.timestamp() <= until
    caller = await authenticator.authenticate(bearing(token))
    assert (caller.user_id, caller.organization_id) == (user.id, user.organization_id)
    assert isinstance(caller.credential, SessionClaims)
    assert caller.credential.session_id == session
    # It makes no other.
    with pytest.raises(PermissionDenied):
        await grants.create(caller, session, ["send"], 60)
    await owner.run(lambda c: users.void_tokens(c, user.organization_id, user.id))
    await authenticator.forget({user.id})
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(bearing(token))
    # An issuer's token that is void by now makes none.
    with pytest.raises(Unauthenticated):
        await grants.create(backend, session, ["send"], 60)


async def test_its_rights_are_those_of_its_scopes_and_its_user_together(owner: Database, database: Database) -> None:
    reader = await make_user(owner, "Org", "reader@example.org", "reader")
    authenticator = Authenticator(tokens(), database)
    grants = SessionGrants(authenticator.session_tokens, database)
    shown = await authenticator.authenticate(bearing(tokens().issue(reader.id, reader.token_generation)))
    token, _ = await grants.create(shown, uuid4(), ["watch"], 60)
    caller = await authenticator.authenticate(bearing(token))
    assert caller.rights < shown.rights
    with pytest.raises(PermissionDenied):
        await grants.create(shown, uuid4(), ["send", "watch"], 60)
    with pytest.raises(PermissionDenied):
        caller.require_session(uuid4())
    with pytest.raises(PermissionDenied):
        caller.require_session(None)
    shown.require_session(None)
