# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Terms as the database's queries, and what is shown of the sentences that a search found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from server.storage.pool import Connection
from server.storage.search import vector_text


@dataclass(frozen=True, slots=True)
class TermQueries:
    """The terms of a query in each configuration."""

    configurations: tuple[str, ...]
    queries: tuple[tuple[str | None, ...], ...]
    """By configuration: each term as a tsquery; None where it is no word."""
    lexemes: tuple[frozenset[str], ...]
    """By configuration: the stems of all terms."""

    @property
    def terms(self) -> int:
        """How many terms there are."""
        return len(self.queries[0]) if self.queries else 0

    @property
    def any_term(self) -> str | None:
        """What has any term in any configuration, as a tsquery; None: nothing can."""
        return self.any_of(range(self.terms), ())

    def any_of(self, terms: Sequence[int], together: Sequence[int]) -> str | None:
        """Return what has any of some terms, or all of others together, as a tsquery; None: nothing can."""
        distinct = dict.fromkeys(row[term] for row in self.queries for term in terms if row[term])
        for row in self.queries:
            if together and all(row[term] for term in together):
                distinct[" & ".join(f"({row[term]})" for term in together)] = None
        return " | ".join(f"({query})" for query in distinct) or None


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A sentence with what a reader needs to know where it is from."""

    meeting_id: UUID
    number: int
    file_hash: str
    meeting_name: str
    held_on: str | None
    held_at: datetime
    """By the stated date, else by its upload."""
    created_at: datetime
    speaker_id: UUID | None
    speaker_name: str | None
    start_ms: int
    end_ms: int
    text: str
    language: str
    configuration: str
    topic: str
    similarity: float | None
    """Cosine with the query's vector; None where they cannot be compared."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The meaning that is looked for."""

    model: str
    vector: tuple[float, ...]

    @property
    def text(self) -> str:
        """The vector as pgvector reads it."""
        return vector_text(np.asarray(self.vector))


@dataclass(frozen=True, slots=True)
class IndexedSentences:
    """What is indexed of an organization; about, where there is much."""

    meetings: int
    sentences: int
    """Of all meetings together."""


async def list_configurations(connection: Connection, organization_id: UUID) -> list[str]:
    """Return the configurations of an organization's sentences."""
    rows = await connection.fetch(
        "WITH RECURSIVE known AS ("
        " SELECT min(configuration) AS name FROM search_sentences WHERE organization_id = $1 UNION ALL"
        " SELECT (SELECT min(s.configuration) FROM search_sentences s WHERE s.organization_id = $1"
        " AND s.configuration > known.name) FROM known WHERE known.name IS NOT NULL)"
        " SELECT name FROM known WHERE name IS NOT NULL",
        organization_id,
    )
    return [row["name"] for row in rows]


async def make_queries(
    connection: Connection, configurations: Sequence[str], terms: Sequence[tuple[str, str]]
) -> TermQueries:
    """Return terms as queries in each configuration.

    Args:
        terms: kind (``word``, ``phrase`` or ``prefix``) and text of each.
    """
    rows = await connection.fetch(
        "SELECT nullif(CASE t.kind WHEN 'prefix' THEN to_tsquery('simple', quote_literal(t.text) || ':*')"
        " ELSE phraseto_tsquery(c.name::regconfig, t.text) END::text, '') AS query,"
        " tsvector_to_array(to_tsvector(c.name::regconfig, t.text)) AS lexemes"
        " FROM unnest($1::text[]) WITH ORDINALITY AS c (name, place)"
        " CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (kind, text, place)"
        " ORDER BY c.place, t.place",
        list(configurations),
        [kind for kind, _ in terms],
        [text for _, text in terms],
    )
    by_configuration = [rows[i : i + len(terms)] for i in range(0, len(rows), max(1, len(terms)))]
    return TermQueries(
        tuple(configurations),
        tuple(tuple(row["query"] for row in own) for own in by_configuration),
        tuple(frozenset(lexeme for row in own for lexeme in row["lexemes"]) for own in by_configuration),
    )


async def count_sentences(connection: Connection, organization_id: UUID, sampled: int = 500) -> IndexedSentences:
    """Return how many meetings and sentences of an organization are indexed.

    Args:
        sampled: meetings that are looked at. An organization with more is taken to have as many everywhere as in these,
            within a few percent: they are the first by their ids, and ids are random.
    """
    row = await connection.fetchrow(
        "SELECT count(*) AS meetings, coalesce(sum(i.sentences), 0)::bigint AS sentences,"
        " (array_agg(i.meeting_id ORDER BY i.meeting_id DESC))[1] AS last FROM (SELECT meeting_id, sentences"
        f" FROM search_meetings WHERE organization_id = $1 ORDER BY meeting_id LIMIT {sampled}) i",
        organization_id,
    )
    assert row is not None
    meetings, sentences = int(row["meetings"]), int(row["sentences"])
    if meetings < sampled:
        return IndexedSentences(meetings, sentences)
    ids, all_ids = UUID(str(row["last"])).int + 1, 1 << 128
    return IndexedSentences(meetings * all_ids // ids, sentences * all_ids // ids)


async def load(
    connection: Connection,
    organization_id: UUID,
    keys: Sequence[tuple[UUID, int]],
    meant: Meant | None,
) -> list[FoundRow]:
    """Return sentences, (meeting, number) each, in any order; those that are gone are left out."""
    rows = await connection.fetch(
        "SELECT s.meeting_id, s.number, m.file_hash, m.name AS meeting_name, m.held_on, m.held_at, m.created_at,"
        " p.id AS speaker_id, p.alias AS speaker_name, s.start_ms, s.end_ms, s.text, s.language, s.configuration,"
        " s.topic, CASE WHEN s.model = $4 AND $4 <> ''"
        " THEN -(s.vector <#> (SELECT $5::text::halfvec)) END AS similarity"
        # Lateral queries with an offset are looked up row by row, and no table is read whole to be joined.
        " FROM unnest($2::uuid[], $3::integer[]) AS k (meeting_id, number)"
        " CROSS JOIN LATERAL (SELECT * FROM search_sentences s WHERE s.organization_id = $1"
        " AND s.meeting_id = k.meeting_id AND s.number = k.number OFFSET 0) s"
        " CROSS JOIN LATERAL (SELECT * FROM meetings m WHERE m.organization_id = $1 AND m.id = s.meeting_id"
        " AND m.delete_at IS NULL OFFSET 0) m"
        " LEFT JOIN LATERAL (SELECT * FROM speakers p WHERE p.organization_id = $1 AND p.meeting_id = s.meeting_id"
        " AND p.label = s.speaker AND p.active OFFSET 0) p ON true",
        organization_id,
        [meeting_id for meeting_id, _ in keys],
        [number for _, number in keys],
        meant.model if meant else "",
        meant.text if meant else None,
    )
    return [FoundRow(**row) for row in rows]


async def find_matching_words(
    connection: Connection, words: Sequence[tuple[str, str]], queries: TermQueries
) -> set[tuple[str, str]]:
    """Return those of ``words``, (configuration, word) each, that have a stem in common with a term."""
    rows = await connection.fetch(
        "SELECT w.configuration, w.word, tsvector_to_array(to_tsvector(w.configuration::regconfig, w.word)) AS stems"
        " FROM unnest($1::text[], $2::text[]) AS w (configuration, word)",
        [configuration for configuration, _ in words],
        [word for _, word in words],
    )
    stems = dict(zip(queries.configurations, queries.lexemes, strict=True))
    return {
        (row["configuration"], row["word"])
        for row in rows
        if not stems.get(row["configuration"], frozenset()).isdisjoint(row["stems"])
    }
