"""Session tokens, made with what a caller showed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from meetra.v1 import access_pb2

from server.auth.authenticator import find_user
from server.auth.caller import ApiKey, Caller
from server.auth.session_tokens import SessionClaims, SessionMaker, SessionTokens
from server.auth.tokens import Claims
from server.errors import PermissionDenied, Unauthenticated
from server.storage import Connection, Database, users


class SessionGrants:
    """Make session tokens for callers."""

    def __init__(self, tokens: SessionTokens, database: Database) -> None:
        self._tokens, self._database = tokens, database

    async def create(
        self, caller: Caller, session_id: UUID, scopes: Collection[str], lifetime_s: int
    ) -> tuple[str, datetime]:
        """Make a token for a live meeting of the caller's organization; return it, and when it expires.

        Args:
            scopes: `send`, `watch`.

        Raises PermissionDenied, Unauthenticated.
        """
        if isinstance(caller.credential, SessionClaims):
            raise PermissionDenied.of_session(caller.role)
        if "send" in scopes and access_pb2.RIGHT_LIVE not in caller.rights:
            raise PermissionDenied(caller.role, caller.scopes)
        maker = await self._maker(caller)
        before = None if isinstance(caller.credential, ApiKey) else caller.credential.expires_at
        token, expires_at = self._tokens.issue(maker, session_id, scopes, lifetime_s, before)
        return token, datetime.fromtimestamp(expires_at, UTC)

    async def _maker(self, caller: Caller) -> SessionMaker:
        credential = caller.credential
        ids = (caller.user_id, caller.organization_id)
        if isinstance(credential, ApiKey):
            return SessionMaker(*ids, None, 0, caller.key_id)
        if isinstance(credential, Claims):
            return SessionMaker(*ids, credential.token_id, credential.generation, None)
        assert not isinstance(credential, SessionClaims)

        # An external token has no generation. Read before the token is looked at once more: what voids it in between
        # begins another one.
        async def work(connection: Connection) -> int:
            user = await users.find(connection, caller.user_id)
            if user is None or await find_user(connection, credential) is None:
                raise Unauthenticated
            return user.token_generation

        generation = await self._database.run(work, organization_id=caller.organization_id)
        return SessionMaker(*ids, credential.token_id, generation, None)
