"""Authentication of a call by its metadata."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from server.auth.caller import Caller
from server.auth.tokens import Tokens
from server.errors import Unauthenticated
from server.storage import Database, users

# A revoked token stays valid for up to this long; in exchange a busy client costs one query per five seconds instead of
# one per call.
USER_CACHE_S = 5.0
MAX_CACHED_USERS = 10_000


class Authenticator:
    """Validate bearer tokens, including that their user exists and has not revoked them."""

    def __init__(self, tokens: Tokens, database: Database) -> None:
        self._tokens = tokens
        self._database = database
        self._valid_after: OrderedDict[UUID, tuple[float, float | None]] = OrderedDict()

    async def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        """Authenticate ``authorization:

        Bearer <token>`` in the metadata and return the caller. Raises Unauthenticated.
        """
        values = [value for key, value in metadata if key.lower() == "authorization"]
        if len(values) != 1 or not isinstance(values[0], str):
            raise Unauthenticated
        scheme, _, token = values[0].partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        claims = self._tokens.validate(token.strip())
        valid_after = await self._tokens_valid_after(claims.user_id)
        if valid_after is None or claims.issued_at < valid_after:
            raise Unauthenticated
        return Caller(claims.user_id, claims.organization_id, claims.issued_at)

    async def _tokens_valid_after(self, user_id: UUID) -> float | None:
        """Return the time before which the user's tokens are void, seconds since the epoch; None without a user."""
        now = time.monotonic()
        cached = self._valid_after.get(user_id)
        if cached is not None and cached[0] > now:
            return cached[1]
        user = await self._database.run(lambda connection: users.find(connection, user_id))
        valid_after = user.tokens_valid_after.timestamp() if user else None
        self._valid_after[user_id] = (now + USER_CACHE_S, valid_after)
        self._valid_after.move_to_end(user_id)
        while len(self._valid_after) > MAX_CACHED_USERS:
            self._valid_after.popitem(last=False)
        return valid_after
