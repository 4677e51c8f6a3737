"""What the servers' database role may do, checked before they serve."""

from __future__ import annotations

from server.storage.migrate import MIGRATIONS
from server.storage.pool import Connection


class UnfitDatabase(Exception):
    """The servers must not run on this database, or as this role; the message says what to do."""


async def check_access(connection: Connection) -> None:
    """Check that the schema is this version's, and that row-level security binds the role.

    A superuser, the owner of the tables and a role with BYPASSRLS see the rows of every organization, whatever the
    policies say. Raises UnfitDatabase.
    """
    tables = await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
    readable = tables and await connection.fetchval("SELECT has_table_privilege('schema_migrations', 'SELECT')")
    rows = await connection.fetch("SELECT name FROM schema_migrations") if readable else []
    missing = sorted({path.name for path in MIGRATIONS.glob("*.sql")} - {row["name"] for row in rows})
    if missing:
        raise UnfitDatabase(
            f"the database lacks the migrations {', '.join(missing)}: run `python -m server migrate` as its owner"
        )
    role, bound = await connection.fetchrow("SELECT current_user, row_security_active('meetings')") or ("", False)
    if not bound:
        raise UnfitDatabase(
            f"row-level security does not bind the database role {role}, which owns the tables, is a superuser or has"
            " BYPASSRLS: set MEETRA_DATABASE_URL to connect as meetra_runtime or a member of it"
        )
