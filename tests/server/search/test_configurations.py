"""Text search configurations exist in the database that ships with us."""

from __future__ import annotations

from server.search.configurations import _BY_LANGUAGE, SIMPLE, configuration
from server.storage.pool import Database


def test_a_language_that_the_database_does_not_know_keeps_its_words() -> None:
    assert configuration("de") == "german"
    assert configuration("ja") == configuration("") == SIMPLE


async def test_every_configuration_is_one_of_the_database(database: Database) -> None:
    known = {row[0] for row in await database.run(lambda c: c.fetch("SELECT cfgname FROM pg_ts_config"))}
    assert {SIMPLE, *_BY_LANGUAGE.values()} <= known
    assert len(set(_BY_LANGUAGE.values())) == 28
