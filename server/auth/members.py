"""What an owner does with the users of their organization."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from meetra.v1 import access_pb2

from server.auth.caller import Caller
from server.auth.passwords import Passwords
from server.auth.user_watch import UserWatch
from server.errors import AddressTaken, LastOwner, PermissionDenied, UserNotFound, UsersAddedByOperator
from server.storage import Connection, Database, ListedUser, organizations, users


class Members:
    """List, add, change and delete the users of an organization."""

    def __init__(self, database: Database, watch: UserWatch, passwords: Passwords) -> None:
        self._database = database
        self._watch = watch
        self._passwords = passwords

    async def list_page(self, caller: Caller, limit: int, before: tuple[datetime, UUID] | None) -> list[ListedUser]:
        """Return at most ``limit`` users, newest first, after the one of that creation time and id."""
        organization_id = caller.organization_id
        return await self._database.run(
            lambda c: users.list_page(c, organization_id, limit, before), organization_id=organization_id
        )

    async def add(self, caller: Caller, email: str, password: str, role: str) -> ListedUser:
        """Add a user, who may log in with the password at once; only where the server has one organization.

        Raises AddressTaken, UsersAddedByOperator, PermissionDenied for a key, and TooManyLogins.
        """
        # A key would make what outlives it.
        if access_pb2.RIGHT_ACCOUNT not in caller.rights:
            raise PermissionDenied(caller.role, caller.scopes)
        organization_id, user_id = caller.organization_id, uuid4()

        async def require_only_one(connection: Connection) -> None:
            if not await organizations.is_only_one(connection):
                raise UsersAddedByOperator

        await self._database.run(require_only_one, organization_id=organization_id)
        async with self._passwords.turn(caller.user_id):
            hashed = await self._passwords.hash(password)

        async def work(connection: Connection) -> ListedUser:
            # Once more: another organization may have come meanwhile, whose address this is.
            await require_only_one(connection)
            user = await users.add(connection, organization_id, user_id, email.lower(), hashed, role)
            if user is None:
                raise AddressTaken
            return user

        return await self._database.run(work, organization_id=organization_id)

    async def update(self, caller: Caller, user_id: UUID, role: str | None, disabled: bool | None) -> ListedUser:
        """Change what is not None, at once for all calls of the user. Raises UserNotFound, LastOwner."""
        organization_id = caller.organization_id

        async def work(connection: Connection) -> ListedUser:
            owners = await users.lock_owners(connection, organization_id)
            user = await users.update(connection, organization_id, user_id, role=role, disabled=disabled)
            if user is None:
                raise UserNotFound
            if owners == {user_id} and (user.role != "owner" or user.disabled):
                raise LastOwner
            return user

        updated = await self._database.run(work, organization_id=organization_id)
        await self._watch.changed(user_id)
        return updated

    async def delete(self, caller: Caller, user_id: UUID) -> None:
        """Delete a user; their meetings stay. Raises UserNotFound, LastOwner."""
        organization_id = caller.organization_id

        async def work(connection: Connection) -> None:
            if await users.lock_owners(connection, organization_id) == {user_id}:
                raise LastOwner
            if not await users.delete(connection, organization_id, user_id):
                raise UserNotFound

        await self._database.run(work, organization_id=organization_id)
        await self._watch.changed(user_id)
