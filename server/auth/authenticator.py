"""Authentication of a call by its metadata."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from server.auth.caller import Caller
from server.auth.tokens import Claims, Tokens
from server.errors import Unauthenticated
from server.storage import Database, TokenUser, users

# A busy client costs one query per five seconds instead of one per call. Changes of users are announced to every
# process (user_watch.py); this is the bound for one to which the announcement did not come.
REMEMBERED_S = 5.0
MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Remembered:
    user_id: UUID
    user: TokenUser | None
    until: float


class Authenticator:
    """Validate bearer tokens, and find out to whom they give access now."""

    def __init__(self, tokens: Tokens, database: Database) -> None:
        self._tokens = tokens
        self._database = database
        self._remembered: OrderedDict[UUID, _Remembered] = OrderedDict()
        # Rises with each change: what was read before one is not remembered after it.
        self._changes = 0

    async def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        """Authenticate ``authorization: Bearer <token>`` in the metadata and return the caller.

        Raises Unauthenticated.
        """
        values = [value for key, value in metadata if key.lower() == "authorization"]
        if len(values) != 1 or not isinstance(values[0], str):
            raise Unauthenticated
        scheme, _, token = values[0].partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        return await self.caller_of(self._tokens.validate(token.strip()))

    async def caller_of(self, token: Claims) -> Caller:
        """Return the caller to whom a token gives access now, whether or not it has expired. Raises Unauthenticated."""
        user = await self._user_of(token)
        if user is None:
            raise Unauthenticated
        return Caller(user.user_id, user.organization_id, token, user.role)

    async def forget(self, changed: Collection[UUID] | None) -> None:
        """Forget what is remembered of these users; None: of all."""
        self._changes += 1
        if changed is None:
            self._remembered.clear()
            return
        for token_id in [id_ for id_, known in self._remembered.items() if known.user_id in changed]:
            del self._remembered[token_id]

    async def _user_of(self, token: Claims) -> TokenUser | None:
        now, changes = time.monotonic(), self._changes
        known = self._remembered.get(token.token_id)
        if known is not None and known.until > now:
            return known.user
        user = await self._database.run(
            lambda c: users.find_by_token(c, token.user_id, token.token_id, token.generation)
        )
        if changes == self._changes:
            self._remembered[token.token_id] = _Remembered(token.user_id, user, now + REMEMBERED_S)
            self._remembered.move_to_end(token.token_id)
            while len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return user
