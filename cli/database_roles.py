"""The database roles of a cluster of ours: one owns the tables and migrates, one serves and owns nothing.

The extension of vectors is created here too: PostgreSQL lets a superuser alone create it.
"""

from __future__ import annotations

from server.storage import Connection

OWNER = "meetra_owner"
# Migrations grant it what servers need; row-level security binds it.
RUNTIME = "meetra_runtime"

_RIGHTS = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
# Until there was an owner, the superuser made the tables.
_HAND_OVER = """
DO $$
DECLARE
    object record;
BEGIN
    FOR object IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') AND relowner <> '{owner}'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO {owner}', object.name);
    END LOOP;
    FOR object IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> '{owner}'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', object.name);
    END LOOP;
END
$$
"""


async def ensure_roles(connection: Connection, passwords: dict[str, str]) -> None:
    """Create the roles with these passwords, by name, and the extension ``vector``; give the database's tables to the
    owner. Idempotent.

    Args:
        connection: of a superuser, to the database of the tables.
    """
    for role, password in passwords.items():
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
            await connection.execute(f"CREATE ROLE {role}")
        quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
        await connection.execute(f"ALTER ROLE {role} {_RIGHTS} PASSWORD {quoted}")
    await connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}")
    await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await connection.execute(_HAND_OVER.format(owner=OWNER))
