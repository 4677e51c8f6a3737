"""What servers check of their database before they serve: the schema, and that row-level security binds them."""

from __future__ import annotations

import pytest

from server.storage import UnfitDatabase, check_access
from server.storage.pool import Database


async def test_servers_run_as_a_role_that_is_bound(owner: Database, database: Database) -> None:
    await database.run(check_access)
    with pytest.raises(UnfitDatabase, match="does not bind the database role meetra_owner"):
        await owner.run(check_access)


async def test_servers_do_not_run_on_another_schema(owner: Database, database: Database) -> None:
    await owner.run(lambda c: c.execute("DELETE FROM schema_migrations WHERE name LIKE '0009%'"))
    with pytest.raises(UnfitDatabase, match=r"lacks the migrations 0009_row_level_security\.sql: run"):
        await database.run(check_access)


async def test_servers_run_on_a_schema_that_a_newer_version_has_migrated(owner: Database, database: Database) -> None:
    await owner.run(lambda c: c.execute("INSERT INTO schema_migrations (name) VALUES ('9999_of_later.sql')"))
    await database.run(check_access)
