"""The user with whom a new system can be tried at once."""

from __future__ import annotations

import asyncio

from cli.home import DEMO_EMAIL, DEMO_ORGANIZATION
from server.auth import hash_password, password_matches
from server.storage import Connection, users


async def ensure_demo_user(connection: Connection, password: str) -> bool:
    """Create the demo user in a database without users; return whether they can log in with ``password``.

    A demo user with another password gets this one; otherwise their tokens stay valid. One who was deleted stays so.
    """
    user = await users.find_by_email(connection, DEMO_EMAIL)
    if user is None and await users.exist(connection):
        return False
    known = user.password_hash if user else None
    if known is None or not await asyncio.to_thread(password_matches, known, password):
        hashed = await asyncio.to_thread(hash_password, password)
        await users.ensure_user(connection, DEMO_ORGANIZATION, DEMO_EMAIL, hashed)
    return user is None or not user.disabled
