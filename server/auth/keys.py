"""API keys: made for a user, shown once, and void at once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from meetra.v1 import access_pb2

from server.auth.caller import ApiKey, Caller
from server.auth.user_watch import UserWatch
from server.errors import KeyNotFound, TooManyKeys
from server.storage import Connection, Database, KeyRow, keys

MAX_KEYS_OF_USER = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is shown once."""

    row: KeyRow
    secret: str


def new_secret() -> str:
    """Return a random key."""
    return ApiKey.PREFIX + secrets.token_urlsafe(32)


class Keys:
    """Make, list and revoke the keys of a caller; for owners those of their organization."""

    def __init__(self, database: Database, watch: UserWatch) -> None:
        self._database = database
        self._watch = watch

    async def create(self, caller: Caller, name: str, scopes: Sequence[str], expires_in_days: int) -> NewKey:
        """Make a key for the caller. Raises TooManyKeys."""
        id_, secret = uuid4(), new_secret()

        async def work(connection: Connection) -> KeyRow:
            if await keys.lock_count(connection, caller.organization_id, caller.user_id) >= MAX_KEYS_OF_USER:
                raise TooManyKeys(MAX_KEYS_OF_USER)
            return await keys.add(
                connection,
                caller.organization_id,
                caller.user_id,
                id_,
                name=name,
                secret_hash=ApiKey.of(secret).secret_hash,
                scopes=scopes,
                expires_in_days=expires_in_days,
            )

        return NewKey(await self._database.run(work, organization_id=caller.organization_id), secret)

    async def list_page(self, caller: Caller, limit: int, before: tuple[datetime, UUID] | None) -> list[KeyRow]:
        """Return at most ``limit`` keys, newest first, after the one of that creation time and id."""
        return await self._database.run(
            lambda c: keys.list_page(c, caller.organization_id, _whose(caller), limit, before),
            organization_id=caller.organization_id,
        )

    async def revoke(self, caller: Caller, id_: UUID) -> None:
        """Void a key at once. Raises KeyNotFound."""
        owner = await self._database.run(
            lambda c: keys.delete(c, caller.organization_id, _whose(caller), id_),
            organization_id=caller.organization_id,
        )
        if owner is None:
            raise KeyNotFound
        await self._watch.changed(owner)


def _whose(caller: Caller) -> UUID | None:
    return None if access_pb2.RIGHT_ADMINISTER in caller.rights else caller.user_id
