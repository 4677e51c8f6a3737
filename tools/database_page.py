"""Write the tables of docs/database.md from a migrated database: ``python -m tools.database_page``.

Tables, columns and keys are read from PostgreSQL's catalogue after all migrations; what they are for, from the comments
in the migrations.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.free_port import free_port
from cli.postgres import STOP_SIGNAL, PostgresServer
from server.storage import Connection
from server.storage.migrate import MIGRATIONS, migrate
from server.storage.pool import Database
from tools.generated_part import write_part

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "database.md"
# Tables by what they are about, in the order of the page. A table that is in none comes last.
AREAS = {
    "Organizations and people": ("organizations", "users", "api_keys", "logged_out_tokens"),
    "Meetings": ("meetings", "jobs", "consents", "conversations", "speakers", "speaker_edits", "insights", "voices"),
    "Live meetings": ("live_meetings", "live_events"),
    "Search": ("meeting_names", "search_meetings", "search_sentences"),
    "Webhooks": ("webhooks", "webhook_events", "webhook_deliveries"),
    "What is kept of what happened": ("audit_events", "audit_days", "deletions", "organization_days", "usage_months"),
}
OTHERS = "Others"
# Of tables whose migration says nothing about them.
PURPOSES = {
    "organizations": "Whom everything belongs to, with its policy and its quotas.",
    "users": "Who logs in.",
    "meetings": "A recording or a live meeting: what was given with it, and how far its analysis is.",
    "conversations": "What the engine found in a meeting: segments, words, sentences, sound. Answers are made of it.",
    "speakers": "Who speaks in a meeting.",
    "insights": "The answers of a meeting: a row for each family.",
    "voices": "How people sound, where an organization lets it be kept, so that they are recognised in other meetings.",
    "schema_migrations": "Which migrations were applied.",
    "usage_months": "What was analysed in a month, by user and API key.",
}
_COLUMNS = """
    SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
        a.attnotnull AS always, c.relrowsecurity AS secured
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""
_KEYS = """
    SELECT k.conrelid::regclass::text AS table, k.contype::text AS kind, k.confrelid::regclass::text AS target,
        k.confdeltype::text AS on_delete,
        ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place)::text[] AS columns
    FROM pg_constraint k
    WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'f') AND k.conparentid = 0
    ORDER BY k.conrelid::regclass::text, k.contype, k.conname"""
SHORT_TYPES = {"timestamp with time zone": "timestamptz", "double precision": "float8"}
ON_DELETE = {"c": "deleted with it", "n": "kept without it", "a": "keeps it", "r": "keeps it"}


@dataclass
class Column:
    """A column of a table."""

    name: str
    type: str
    always: bool
    """Never NULL."""
    purpose: str = ""


@dataclass
class Table:
    """A table: its columns, and its keys."""

    name: str
    secured: bool
    purpose: str = ""
    columns: list[Column] = field(default_factory=list)
    primary: list[str] = field(default_factory=list)
    foreign: list[tuple[list[str], str, str]] = field(default_factory=list)
    """Columns, the table that they refer to, and what becomes of the row when that row is deleted."""

    def references(self, column: str) -> str:
        """Return the table that a column refers to, beside its organization; nothing where it refers to none."""
        found = [target for columns, target, _ in self.foreign if column in columns]
        own = [target for columns, target, _ in self.foreign if columns == [column]]
        if column == "organization_id":
            return next(iter(own), "")
        return next(iter(found), "")


async def read_tables(connection: Connection) -> list[Table]:
    """Return the tables of a migrated database, by name."""
    tables: dict[str, Table] = {}
    purposes = comments()
    for row in await connection.fetch(_COLUMNS):
        table = tables.setdefault(
            row["table"],
            Table(row["table"], row["secured"], purposes.get((row["table"], ""), PURPOSES.get(row["table"], ""))),
        )
        kind = SHORT_TYPES.get(row["type"], row["type"])
        table.columns.append(
            Column(row["column"], kind, row["always"], purposes.get((row["table"], row["column"]), ""))
        )
    for row in await connection.fetch(_KEYS):
        table = tables[row["table"]]
        if row["kind"] == "p":
            table.primary = list(row["columns"])
        else:
            table.foreign.append((list(row["columns"]), row["target"], ON_DELETE[row["on_delete"]]))
    return [tables[name] for name in sorted(tables)]


def comments() -> dict[tuple[str, str], str]:
    """Return what the migrations say of tables (with an empty second part) and columns."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(MIGRATIONS.glob("*.sql")):
        found |= _comments_of(path.read_text(encoding="utf-8"))
    return found


def _comments_of(sql: str) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    table, said = "", list[str]()
    for line in sql.splitlines():
        stripped = line.strip()
        if stripped.startswith("--"):
            said.append(stripped.removeprefix("--").strip())
            continue
        text, said = " ".join(filter(None, said)), []
        if created := re.match(r"CREATE TABLE (\w+)", stripped):
            table = created[1]
            found[table, ""] = text
        elif altered := re.match(r"ALTER TABLE (\w+)(?: ADD COLUMN (\w+))?", stripped):
            table = altered[1]
            found[table, altered[2] or "(altered)"] = text
        elif added := re.match(r"ADD COLUMN (\w+)", stripped):
            found[table, added[1]] = text
        elif line.startswith("    ") and (column := re.match(r"([a-z_]+) [a-z]", stripped)):
            found[table, column[1]] = text
        elif not line.startswith(" "):
            table = ""
    return {key: text for key, text in found.items() if text and key[0]}


def page(tables: list[Table]) -> str:
    """Return what docs/database.md says of these tables."""
    named = {name for names in AREAS.values() for name in names}
    areas = {**AREAS, OTHERS: tuple(table.name for table in tables if table.name not in named)}
    lines: list[str] = []
    for area, names in areas.items():
        of_area = [table for name in names for table in tables if table.name == name]
        if of_area:
            lines += [f"## {area}\n", *_drawing(of_area)]
            for table in of_area:
                lines += _description(table)
    return "\n".join(lines).rstrip() + "\n"


def _drawing(tables: list[Table]) -> Iterator[str]:
    yield "```mermaid\nerDiagram"
    names = {table.name for table in tables}
    for table in tables:
        yield f"  {table.name} {{"
        for column in table.columns:
            keys = ["PK"] * (column.name in table.primary) + ["FK"] * bool(table.references(column.name))
            if column.name != "organization_id" or keys:
                # Mermaid's types are words.
                kind = re.sub(r"\W+", "_", column.type.replace("[]", "_list")).strip("_")
                yield f"    {kind} {column.name}{' ' if keys else ''}{', '.join(keys)}"
        yield "  }"
    for table in tables:
        for columns, target, _ in table.foreign:
            # Who refers to organizations is said once, above.
            if target in names and (target != "organizations" or "organizations" in names):
                one = "||" if set(columns) - {"organization_id"} == set(table.primary) - {"organization_id"} else "o{"
                yield f"  {target} ||--{'o|' if one == '||' else 'o{'} {table.name} : {columns[0]}"
    yield "```\n"


def _description(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    said = " ".join(filter(None, ["**RLS.**" if table.secured else "", table.purpose]))
    if said:
        yield f"{_text(said)}\n"
    yield "| Column | Type | |\n|---|---|---|"
    for column in table.columns:
        parts = []
        if column.name in table.primary:
            parts.append("primary key")
        if target := table.references(column.name):
            fate = next(fate for columns, found, fate in table.foreign if found == target and column.name in columns)
            parts.append(f"of [{target}](#{target}), {fate}")
        told = "; ".join(parts)
        told = " ".join(filter(None, [f"{told}." if told else "", _text(column.purpose)]))
        yield f"| `{column.name}` | {column.type}{'' if column.always else ', or NULL'} | {told} |"
    yield ""


def _text(comment: str) -> str:
    return re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", comment.replace("|", "\\|").replace("<", "&lt;"))


async def migrated_page(server: PostgresServer) -> str:
    """Return the tables of a fresh cluster, after all migrations, as Markdown."""
    database = await Database.connect(server.url(), patience_s=60)
    await database.run(lambda c: ensure_roles(c, {OWNER: server.password, RUNTIME: server.password}))
    await migrate(server.url(OWNER))
    text = await database.run(page_of)
    await database.close()
    return text


async def page_of(connection: Connection) -> str:
    """Return the tables of a migrated database as Markdown."""
    return page(await read_tables(connection))


def main() -> None:
    """Start a PostgreSQL of its own, migrate it, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "data", free_port(), "for the page")
        server.ensure_initialised()
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(server.command(), stdout=log, stderr=log)
        try:
            write_part(PAGE, asyncio.run(migrated_page(server)))
        finally:
            process.send_signal(STOP_SIGNAL)
            process.wait(timeout=60)


if __name__ == "__main__":
    main()
