"""Terms as the database's queries, in several languages."""

from __future__ import annotations

from server.storage import search_queries
from server.storage.pool import Database
from server.storage.search_queries import Meant, TermQueries


async def test_terms_are_made_for_each_configuration(database: Database) -> None:
    terms = [("word", "prices"), ("word", "the"), ("phrase", "release date"), ("prefix", "猫")]
    made = await database.run(lambda c: search_queries.make_queries(c, ["english", "simple"], terms))
    assert made.configurations == ("english", "simple")
    assert made.queries == (
        ("'price'", None, "'releas' <-> 'date'", "'猫':*"),
        ("'prices'", "'the'", "'release' <-> 'date'", "'猫':*"),
    )
    assert made.lexemes[0] == {"price", "releas", "date", "猫"}
    assert made.any_term is not None
    assert made.any_term.count("'猫':*") == 1


async def test_a_term_cannot_become_an_operator(database: Database) -> None:
    made = await database.run(
        lambda c: search_queries.make_queries(c, ["simple"], [("word", "a & !b | c"), ("prefix", "' | x")])
    )
    assert made.queries[0][0] == "'a' <-> 'b' <-> 'c'"
    assert "|" not in str(made.queries[0][1]).replace("'' | x", "")


async def test_nothing_is_found_without_words(database: Database) -> None:
    empty = await database.run(lambda c: search_queries.make_queries(c, [], [("word", "x")]))
    assert empty == TermQueries((), (), ())
    assert empty.any_term is None


def test_a_meaning_is_written_as_pgvector_reads_it() -> None:
    assert Meant("m", (1.0, -0.5)).text == "[1,-0.5]"
