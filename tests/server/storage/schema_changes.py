"""What a migration takes from the version that still serves, and where it makes it wait: by PostgreSQL's catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from server.storage.pool import Connection

_CONTRACT = re.compile(r"^-- contract: since (\d+\.\d+\.\d+)$", re.MULTILINE)
_LOCKS = re.compile(r"^-- locks: (.+)$", re.MULTILINE)
_COLUMNS = """
    SELECT a.attrelid::regclass::text AS table, a.attname::text AS column, format_type(a.atttypid, a.atttypmod) AS type,
        a.attnotnull AS required, a.atthasdef OR a.attidentity <> '' AS given,
        has_column_privilege('meetra_runtime', a.attrelid, a.attnum, 'SELECT')::int
            + 2 * has_column_privilege('meetra_runtime', a.attrelid, a.attnum, 'INSERT')::int
            + 4 * has_column_privilege('meetra_runtime', a.attrelid, a.attnum, 'UPDATE')::int AS rights
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"""
_TABLES = """
    SELECT c.oid::regclass::text AS table, c.relfilenode::text AS file,
        has_table_privilege('meetra_runtime', c.oid, 'DELETE') AS deletes
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"""
_CONSTRAINTS = """
    SELECT k.conrelid::regclass::text AS table, k.conname::text AS name, k.contype::text AS kind,
        pg_get_constraintdef(k.oid) AS definition,
        ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))::text[]
            AS columns
    FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.conrelid <> 0 AND k.contype IN
        ('c', 'f', 'p', 'u', 'x')"""
_INDEXES = """
    SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS name, i.indisunique AS unique,
        pg_get_indexdef(i.indexrelid) AS definition,
        ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))::text[]
            AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace"""
_FUNCTIONS = """
    SELECT p.oid::regprocedure::text AS name, pg_get_function_result(p.oid) AS result,
        has_function_privilege('meetra_runtime', p.oid, 'EXECUTE') AS executes
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""
_TRIGGERS = """
    SELECT t.tgrelid::regclass::text || ' ' || t.tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace"""


@dataclass(frozen=True)
class Schema:
    """Tables and what belongs to them, each by its name."""

    tables: dict[str, dict[str, Any]]
    columns: dict[str, dict[str, Any]]
    constraints: dict[str, dict[str, Any]]
    indexes: dict[str, dict[str, Any]]
    functions: dict[str, dict[str, Any]]
    triggers: dict[str, dict[str, Any]]


async def schema_of(connection: Connection) -> Schema:
    """Return the schema of a database as it is, rights of the servers' role included."""

    async def read(statement: str, *key: str) -> dict[str, dict[str, Any]]:
        rows = await connection.fetch(statement)
        return {".".join(str(row[part]) for part in key): dict(row) for row in rows}

    return Schema(
        tables=await read(_TABLES, "table"),
        columns=await read(_COLUMNS, "table", "column"),
        constraints=await read(_CONSTRAINTS, "table", "name"),
        indexes=await read(_INDEXES, "name"),
        functions=await read(_FUNCTIONS, "name"),
        triggers=await read(_TRIGGERS, "name"),
    )


def contractions(before: Schema, after: Schema) -> list[str]:
    """Return what a statement of the version before may miss, or may be refused for."""
    return [*_missing(before, after), *_stricter(before, after)]


def _missing(before: Schema, after: Schema) -> Iterator[str]:
    for kind in ("tables", "columns", "functions", "triggers"):
        for name in getattr(before, kind).keys() - getattr(after, kind).keys():
            yield f"{kind}: {name} is gone"
    # What has no duplicates is what INSERT ... ON CONFLICT names.
    unique = {name for name, index in before.indexes.items() if index["unique"]}
    for name in unique - after.indexes.keys():
        yield f"unique index {name} is gone"
    for name, function in before.functions.items():
        now = after.functions.get(name, function)
        if now["result"] != function["result"]:
            yield f"function {name} returns {now['result']}"
        if function["executes"] and not now["executes"]:
            yield f"function {name} may not be called any more"
    for name, table in before.tables.items():
        if table["deletes"] and not after.tables.get(name, table)["deletes"]:
            yield f"rows of {name} may not be deleted any more"


def _stricter(before: Schema, after: Schema) -> Iterator[str]:
    for name, column in before.columns.items():
        now = after.columns.get(name, column)
        if now["type"] != column["type"]:
            yield f"column {name} is now {now['type']}"
        if now["required"] and not column["required"]:
            yield f"column {name} takes no NULL any more"
        if now["required"] and column["given"] and not now["given"]:
            yield f"column {name} has no default any more"
        if column["rights"] & ~now["rights"]:
            yield f"column {name}: a right of the servers is gone"
    old_tables, old_columns = before.tables.keys(), before.columns.keys()
    for name, column in after.columns.items():
        is_new = name not in old_columns and column["table"] in old_tables
        if is_new and column["required"] and not column["given"]:
            yield f"new column {name} has to be given"

    def touches_old(one: dict[str, Any]) -> bool:
        # Of new columns alone: the version before leaves these as they are by default.
        return one["table"] in old_tables and (
            not one["columns"] or any(f"{one['table']}.{column}" in old_columns for column in one["columns"])
        )

    for name, constraint in after.constraints.items():
        known = before.constraints.get(name)
        if touches_old(constraint) and (known is None or known["definition"] != constraint["definition"]):
            yield f"constraint {name} is new: {constraint['definition']}"
    for name, index in after.indexes.items():
        if index["unique"] and touches_old(index) and name not in before.indexes and name not in _of(after):
            yield f"unique index {name} is new"


def _of(schema: Schema) -> set[str]:
    """Return the names of indexes that belong to constraints, which are told as these."""
    return {constraint["name"] for constraint in schema.constraints.values()}


def blocked_tables(before: Schema, after: Schema) -> set[str]:
    """Return tables that were rewritten or got an index: nobody writes to them for as long as that takes."""
    rewritten = {
        name for name, table in before.tables.items() if after.tables.get(name, table)["file"] != table["file"]
    }
    new = {index["table"] for name, index in after.indexes.items() if name not in before.indexes}
    return rewritten | (new & before.tables.keys())


def complaints(name: str, sql: str, before: Schema, after: Schema, version: str) -> list[str]:
    """Return what is wrong with a migration that the release before has to get along with.

    Args:
        version: of the release that it is made for.
    """
    found = []
    since = _CONTRACT.search(sql)
    taken = contractions(before, after)
    if taken and since is None:
        found.append(
            f"{name} takes something from the version that still serves: {'; '.join(sorted(taken))}. Add first, and"
            " remove it a release later, with a line `-- contract: since VERSION` naming the first release without it"
        )
    elif since is not None and _parts(since[1]) >= _parts(version):
        found.append(f"{name}: {since[1]} must be a release before {version}, which still serves during the upgrade")
    elif since is not None and not taken:
        found.append(f"{name} takes nothing away: leave out `-- contract`")
    told = _LOCKS.search(sql)
    tables = {table.strip() for table in told[1].split(",")} if told else set()
    if blocked := blocked_tables(before, after) - tables:
        found.append(
            f"{name} rewrites or indexes {', '.join(sorted(blocked))}, to which nobody can write meanwhile. If that is"
            f" short enough, say so: `-- locks: {', '.join(sorted(blocked | tables))}`"
        )
    return found


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
