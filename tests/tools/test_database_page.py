"""docs/database.md is what the migrations make."""

from __future__ import annotations

from server.storage.pool import Database
from tools.database_page import AREAS, PAGE, comments, page_of, read_tables
from tools.generated_part import with_part


async def test_the_page_shows_the_migrated_database(owner: Database) -> None:
    shown = await owner.run(page_of)
    assert with_part(PAGE, shown) == PAGE.read_text(encoding="utf-8"), "run: python -m tools.database_page"
    tables = await owner.run(read_tables)
    # Each has a place of its own, and says what it is for.
    assert {table.name for table in tables} - {name for names in AREAS.values() for name in names} == {
        "schema_migrations"
    }
    assert [table.name for table in tables if not table.purpose] == []
    (jobs,) = [table for table in tables if table.name == "jobs"]
    assert jobs.secured
    assert jobs.primary == ["meeting_id"]
    assert jobs.references("meeting_id") == "meetings"


def test_comments_of_migrations_say_what_columns_are_for() -> None:
    found = comments()
    assert found["jobs", ""] == "A row exists while work is owed for a meeting."
    assert found["jobs", "fence"] == "Rises each time the job is taken; a holder with an older one has lost it."
    assert found["users", "token_generation"].startswith("Tokens carry the generation")
    assert found["organizations", "consent_required"].startswith("Whether a meeting needs a note of consent")
