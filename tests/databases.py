"""Databases of tests: migrated once, emptied for each test, made anew where a test changed more than rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg

from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.postgres import SUPERUSER
from server.storage.migrate import migrate
from server.storage.pool import Connection, Database

if TYPE_CHECKING:
    from cli.postgres import PostgresServer

# Connections that a test left open write nothing into the next one. Sequences begin anew, as in a new database.
# With this role no trigger runs and no foreign key is looked at.
EMPTY = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
SET LOCAL session_replication_role = replica;
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'schema_migrations'
    LOOP EXECUTE format('DELETE FROM %s', found.name); END LOOP;
    FOR found IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', found.name); END LOOP;
END $$
"""
# What a statement that changes more than rows leaves another: tables, columns, triggers, functions, policies, rights,
# and the list of migrations.
SHAPE = """
SELECT
    (SELECT array_agg((oid, relname, relkind, relrowsecurity, relforcerowsecurity, relacl::text)::text ORDER BY oid)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'S'),
    (SELECT array_agg((attrelid, attnum, attname, attnotnull)::text ORDER BY attrelid, attnum) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
    (SELECT array_agg((oid, tgrelid, tgname, tgenabled)::text ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT array_agg((oid, proname, proacl::text, prosrc)::text ORDER BY oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace),
    (SELECT array_agg((oid, polname)::text ORDER BY oid) FROM pg_policy),
    (SELECT array_agg(name ORDER BY name) FROM schema_migrations)
"""


@dataclass
class Databases:
    """One migrated database of a server, lent to one test after another."""

    server: PostgresServer
    _name: str = ""
    _shape: object = None

    def url(self, name: str, role: str) -> str:
        """Return the URL of a database for a role."""
        return self.server.url(role).removesuffix("/postgres") + f"/{name}"

    async def fresh(self) -> str:
        """Return the name of a migrated database without rows."""
        if not self._name or not await self._emptied():
            await self._make()
        return self._name

    async def anew(self) -> str:
        """Return the name of a database that no test has used: nothing of one is in its files and statistics."""
        await self._make()
        return self._name

    async def _make(self) -> None:
        any_database = await Database.connect(self.server.url(), patience_s=300)
        await any_database.close()
        # Databases are not made within transactions.
        connection = await asyncpg.connect(self.server.url())
        if self._name:
            await connection.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._name = f"test_{uuid4().hex}"
        await connection.execute(f"CREATE DATABASE {self._name}")
        await connection.close()
        superuser = await Database.connect(self.url(self._name, SUPERUSER))
        await superuser.run(self._ensure_roles)
        await migrate(self.url(self._name, OWNER))
        self._shape = await superuser.run(lambda c: c.fetchrow(SHAPE))
        await superuser.close()

    async def _emptied(self) -> bool:
        """Delete all rows; return whether all else is as it was migrated."""
        superuser = await Database.connect(self.url(self._name, SUPERUSER), patience_s=300)
        await superuser.run(lambda c: c.execute(EMPTY))
        # Roles are the cluster's: a test may have given them other passwords.
        await superuser.run(self._ensure_roles)
        shape = await superuser.run(lambda c: c.fetchrow(SHAPE))
        await superuser.close()
        return bool(shape == self._shape)

    async def _ensure_roles(self, connection: Connection) -> None:
        await ensure_roles(connection, {OWNER: self.server.password, RUNTIME: self.server.password})


async def end_checks(connection: Connection) -> None:
    """End the connections of our role on which a process looks whether the database answers."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
        " AND datname = current_database() AND pid <> pg_backend_pid() AND query = 'SELECT 1'"
    )
