"""Migrations while the release before still serves: they add, wait for nobody long, and remove a release later."""

from __future__ import annotations

import tomllib
from pathlib import Path

from server.storage.migrate import MIGRATIONS, migrate, migration_names
from server.storage.pool import Connection, Database
from tests.recordings import ROOT
from tests.server.storage.schema_changes import complaints, schema_of

# The last migration before the rules held. While 0.1.0 is not tagged nobody runs a release before it: raise this if a
# migration until then has to break them.
BEFORE_THE_RULES = "0029_live_leases.sql"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


async def complaints_about(owner: Database, sql: str, version: str = "0.3.0") -> list[str]:
    """What is said of a migration; the database is afterwards as before."""
    found: list[str] = []

    async def work(connection: Connection) -> None:
        before = await schema_of(connection)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(sql)
        found.extend(complaints("9999_test.sql", sql, before, await schema_of(connection), version))
        await transaction.rollback()

    await owner.run(work)
    return found


async def test_every_migration_gets_along_with_the_release_before(empty_url: str, tmp_path: Path) -> None:
    names = migration_names()
    checked = names[names.index(BEFORE_THE_RULES) + 1 :]
    for name in names[: names.index(BEFORE_THE_RULES) + 1]:
        (tmp_path / name).symlink_to(MIGRATIONS / name)
    await migrate(empty_url, tmp_path)
    database = await Database.connect(empty_url)
    before, found = await database.run(schema_of), []
    for name in checked:
        (tmp_path / name).symlink_to(MIGRATIONS / name)
        await migrate(empty_url, tmp_path)
        after = await database.run(schema_of)
        found += complaints(name, (MIGRATIONS / name).read_text(encoding="utf-8"), before, after, VERSION)
        before = after
    await database.close()
    assert not found, "\n".join(found)


EXPANDING = """
CREATE TABLE notes (meeting_id uuid PRIMARY KEY, text text NOT NULL CHECK (text <> ''));
CREATE INDEX notes_text ON notes (text);
ALTER TABLE meetings ADD COLUMN room text, ADD COLUMN seats integer NOT NULL DEFAULT 0 CHECK (seats >= 0);
ALTER TABLE voices ALTER COLUMN name SET DEFAULT 'somebody';
ALTER TABLE meetings DROP CONSTRAINT meetings_n_speakers_check;
CREATE FUNCTION seats_of(meeting uuid) RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1';
DROP INDEX meetings_by_length;
GRANT SELECT ON notes TO meetra_runtime;
"""


async def test_what_adds_is_accepted(owner: Database) -> None:
    assert await complaints_about(owner, EXPANDING) == []


# By what a migration does: what is said about it.
TAKEN = {
    "DROP TABLE consents": "tables: consents is gone",
    "ALTER TABLE meetings RENAME TO gatherings": "tables: meetings is gone",
    "ALTER TABLE meetings DROP COLUMN media_type": "columns: meetings.media_type is gone",
    "ALTER TABLE meetings RENAME COLUMN name TO title": "columns: meetings.name is gone",
    "ALTER TABLE meetings ALTER COLUMN held_on SET NOT NULL": "column meetings.held_on takes no NULL any more",
    "ALTER TABLE meetings ALTER COLUMN message DROP DEFAULT": "column meetings.message has no default any more",
    "ALTER TABLE meetings ALTER COLUMN duration_ms TYPE bigint": "column meetings.duration_ms is now bigint",
    "ALTER TABLE meetings ADD COLUMN room text NOT NULL": "new column meetings.room has to be given",
    "ALTER TABLE meetings ADD CHECK (length(name) < 100)": "constraint meetings.meetings_name_check is new",
    "ALTER TABLE meetings ADD UNIQUE (name)": "constraint meetings.meetings_name_key is new",
    "CREATE UNIQUE INDEX meetings_name ON meetings (name)": "unique index meetings_name is new",
    "ALTER TABLE meetings DROP CONSTRAINT meetings_organization_id_file_hash_key": "unique index meetings_organ",
    "DROP FUNCTION due_deletions(integer)": "functions: due_deletions(integer) is gone",
    "DROP TRIGGER meeting_is_renamed ON meetings": "triggers: meetings meeting_is_renamed is gone",
    "REVOKE UPDATE ON meetings FROM meetra_runtime": "a right of the servers is gone",
    "REVOKE DELETE ON meetings FROM meetra_runtime": "rows of meetings may not be deleted any more",
    "DO $$ BEGIN EXECUTE 'DROP TABLE consents'; END $$": "tables: consents is gone",
}


async def test_what_takes_something_is_refused_for_a_release(owner: Database) -> None:
    for sql, expected in TAKEN.items():
        told = await complaints_about(owner, sql)
        assert any(expected in one for one in told), (sql, told)
        # One release later it may go, once a release that does without it serves.
        assert not any(expected in one for one in await complaints_about(owner, f"-- contract: since 0.2.0\n{sql}"))


async def test_removing_is_for_what_an_earlier_release_does_without(owner: Database) -> None:
    (told,) = await complaints_about(owner, "-- contract: since 0.3.0\nDROP TABLE consents")
    assert "must be a release before 0.3.0" in told
    (told,) = await complaints_about(owner, "-- contract: since 0.2.0\nCREATE TABLE notes ()")
    assert "takes nothing away" in told
    assert await complaints_about(owner, "-- contract: since 0.9.0\nDROP TABLE consents", "0.10.0") == []


async def test_tables_that_nobody_can_write_to_meanwhile_are_named(owner: Database) -> None:
    rewritten = "ALTER TABLE meetings ADD COLUMN day date NOT NULL DEFAULT clock_timestamp()"
    indexed = "CREATE INDEX speakers_name ON speakers (alias)"
    (told,) = await complaints_about(owner, f"{rewritten}; {indexed}")
    assert "`-- locks: meetings, speakers`" in told
    (told,) = await complaints_about(owner, f"-- locks: meetings\n{rewritten}; {indexed}")
    assert "indexes speakers, to which" in told
    assert await complaints_about(owner, f"-- locks: meetings, speakers\n{rewritten}; {indexed}") == []
