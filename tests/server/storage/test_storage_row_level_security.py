"""The second wall between organizations: statements without any condition, as the role of the servers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest

from server.storage.pool import Connection, Database
from tests.server.storage.rows import OrganizationRows, fill_every_table

# Every table that holds something of an organization; `test_no_table_is_left_out` keeps the list true.
TABLES = (
    "api_keys",
    "audit_days",
    "audit_events",
    "consents",
    "conversations",
    "deletions",
    "insights",
    "jobs",
    "live_events",
    "live_meetings",
    "logged_out_tokens",
    "meeting_names",
    "meetings",
    "organization_days",
    "organizations",
    "search_meetings",
    "search_sentences",
    "speaker_edits",
    "speakers",
    "usage_months",
    "users",
    "voices",
    "webhook_deliveries",
    "webhook_events",
    "webhooks",
)
# The servers cannot delete what they hold.
KEPT = (
    "audit_days",
    "audit_events",
    "deletions",
    "meeting_names",
    "organization_days",
    "organizations",
    "usage_months",
)
each_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture
async def two(owner: Database, database: Database) -> Sequence[OrganizationRows]:
    """Two organizations with a row in every table."""
    return [await fill_every_table(owner, database, name) for name in ("Ours", "Theirs")]


async def organizations_in(database: Database, table: str, organization_id: UUID | None) -> set[UUID]:
    column = "id" if table == "organizations" else "organization_id"
    rows = await database.run(lambda c: c.fetch(f"SELECT {column} FROM {table}"), organization_id=organization_id)
    return {UUID(str(row[column])) for row in rows}


async def test_no_table_is_left_out(owner: Database) -> None:
    rows = await owner.run(
        lambda c: c.fetch(
            "SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    )
    secured = {row["relname"] for row in rows if row["relrowsecurity"]}
    assert secured == set(TABLES)
    assert {row["relname"] for row in rows} - secured == {"schema_migrations"}


@each_table
async def test_a_select_without_a_condition_returns_one_organization(
    owner: Database, database: Database, two: Sequence[OrganizationRows], table: str
) -> None:
    ours, theirs = (rows.organization_id for rows in two)
    assert await organizations_in(owner, table, None) == {ours, theirs}
    assert await organizations_in(database, table, ours) == {ours}
    assert await organizations_in(database, table, theirs) == {theirs}
    assert await organizations_in(database, table, uuid4()) == set()
    assert await organizations_in(database, table, None) == set()


@each_table
async def test_a_delete_without_a_condition_leaves_the_others_rows(
    owner: Database, database: Database, two: Sequence[OrganizationRows], table: str
) -> None:
    ours, theirs = (rows.organization_id for rows in two)
    for organization_id in (None, ours):
        try:
            await database.run(lambda c: c.execute(f"DELETE FROM {table}"), organization_id=organization_id)
        except asyncpg.InsufficientPrivilegeError:
            assert table in KEPT
    assert theirs in await organizations_in(owner, table, None)


async def test_an_update_without_a_condition_leaves_the_others_rows(
    owner: Database, database: Database, two: Sequence[OrganizationRows]
) -> None:
    ours, theirs = two
    await database.run(lambda c: c.execute("UPDATE meetings SET name = 'taken'"), organization_id=ours.organization_id)
    await database.run(
        lambda c: c.execute("UPDATE organizations SET recognise_voices = true"), organization_id=ours.organization_id
    )
    await database.run(
        lambda c: c.execute("UPDATE users SET password_hash = 'taken', disabled = true, role = 'reader'"),
        organization_id=ours.organization_id,
    )
    taken = await owner.run(lambda c: c.fetch("SELECT id FROM users WHERE password_hash = 'taken' OR disabled"))
    assert [row["id"] for row in taken] == [ours.user.id]
    names = await owner.run(lambda c: c.fetch("SELECT organization_id, name FROM meetings"))
    assert {row["name"] for row in names if row["organization_id"] == theirs.organization_id} == {"m"}
    await database.run(
        lambda c: c.execute("UPDATE organizations SET retention_meeting_days = 1"), organization_id=ours.organization_id
    )
    wanted = await owner.run(
        lambda c: c.fetch("SELECT id FROM organizations WHERE recognise_voices OR retention_meeting_days > 0")
    )
    assert [row["id"] for row in wanted] == [ours.organization_id]


async def test_rows_cannot_be_given_to_another_organization(
    database: Database, two: Sequence[OrganizationRows]
) -> None:
    ours, theirs = two
    statements: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("UPDATE meetings SET organization_id = $1", (theirs.organization_id,)),
        ("UPDATE voices SET organization_id = $1", (theirs.organization_id,)),
        (
            "INSERT INTO insights (meeting_id, family, definition_version, value, organization_id)"
            " VALUES ($1, 'x', '1', '{}', $2)",
            (theirs.meeting_id, theirs.organization_id),
        ),
    )
    for statement, values in statements:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await database.run(
                lambda c, s=statement, v=values: c.execute(s, *v),  # type: ignore[misc]
                organization_id=ours.organization_id,
            )


async def test_a_row_of_ours_cannot_belong_to_a_meeting_of_theirs(
    database: Database, two: Sequence[OrganizationRows]
) -> None:
    ours, theirs = two
    insert = "INSERT INTO insights (meeting_id, family, definition_version, value) VALUES ($1, 'x', '1', '{}')"
    with pytest.raises(Exception, match="the meeting was deleted"):
        await database.run(lambda c: c.execute(insert, theirs.meeting_id), organization_id=ours.organization_id)


async def test_a_transaction_ends_with_its_organization(database: Database, two: Sequence[OrganizationRows]) -> None:
    ours = two[0].organization_id

    async def seen(connection: Connection) -> tuple[int, int]:
        count: int = await connection.fetchval("SELECT count(*) FROM meetings")
        return await connection.fetchval("SELECT pg_backend_pid()"), count

    for _ in range(20):
        scoped, count = await database.run(seen, organization_id=ours)
        assert count > 0
        unscoped, count = await database.run(seen)
        assert count == 0
        if unscoped == scoped:
            return
    pytest.fail("the pool never gave the same connection twice")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM user_by_email('nobody@example.org')",
        "SELECT role FROM user_of_token(gen_random_uuid(), gen_random_uuid(), 0)",
        "SELECT role FROM user_of_key('')",
        "SELECT role FROM user_of_session_token(gen_random_uuid(), gen_random_uuid(), 0, NULL)",
        "SELECT role FROM user_of_external_token('a@example.org', gen_random_uuid(), now(), '')",
        "SELECT organization_by_name('Ours')",
        "SELECT only_organization()",
        "SELECT * FROM lock_due_job()",
        "SELECT delete_old_audit_events(30, 1)",
        "SELECT * FROM unattended_live_meetings(interval '1 s')",
        "SELECT record_contact('{}')",
        "SELECT * FROM report_live_meetings('{}', '{}', '{}', interval '1 s')",
        "SELECT * FROM existing_recordings('{}', '{}')",
        "SELECT * FROM unfinished_deletions(interval '1 s')",
        "SELECT * FROM due_deletions(1)",
        "SELECT * FROM lease_due_webhook(interval '1 s', '{}')",
        "SELECT delete_old_webhook_deliveries(30, 1)",
        "SELECT name FROM schema_migrations",
    ],
)
async def test_what_works_across_organizations_is_allowed(database: Database, statement: str) -> None:
    await database.run(lambda c: c.execute(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'Mine')",
        "UPDATE organizations SET name = 'Mine'",
        "UPDATE organizations SET stored_bytes = NULL",
        "UPDATE organizations SET served_at = to_timestamp(0)",
        "DELETE FROM organization_days",
        "DELETE FROM usage_months",
        "UPDATE usage_months SET month = '2000-01-01'",
        "DELETE FROM audit_events",
        "UPDATE audit_events SET action = 'read'",
        "DELETE FROM audit_days",
        "DELETE FROM deletions",
        "UPDATE deletions SET purged_at = now()",
        "UPDATE users SET organization_id = gen_random_uuid()",
        "UPDATE users SET email = 'mine'",
        "INSERT INTO users SELECT * FROM users",
        "UPDATE meeting_names SET name = 'mine'",
        "UPDATE consents SET who = 'mine'",
        "UPDATE api_keys SET scopes = '{admin}'",
        "UPDATE logged_out_tokens SET expires_at = now()",
        "DELETE FROM schema_migrations",
        "TRUNCATE meetings CASCADE",
        "DROP TABLE meetings",
        "ALTER TABLE meetings DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_organization ON meetings",
        "SET ROLE meetra_owner",
        "SET SESSION AUTHORIZATION meetra",
        "CREATE ROLE another SUPERUSER",
        "ALTER ROLE meetra_runtime BYPASSRLS",
        "CREATE TABLE public.mine ()",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "COPY meetings TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT passwd FROM pg_shadow",
    ],
)
async def test_what_the_servers_need_not_do_is_denied(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.run(lambda c: c.execute(statement), organization_id=uuid4())
