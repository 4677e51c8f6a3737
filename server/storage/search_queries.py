# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Searching the index: by words, by meaning, and what is shown of the sentences found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from server.storage.pool import Connection
from server.storage.search import vector_text
from server.storage.search_filter import SearchFilter, meeting_conditions, sentence_conditions


@dataclass(frozen=True, slots=True)
class TermQueries:
    """The terms of a query in each configuration."""

    configurations: tuple[str, ...]
    queries: tuple[tuple[str | None, ...], ...]
    """By configuration: each term as a tsquery; None where it is no word."""
    lexemes: tuple[frozenset[str], ...]
    """By configuration: the stems of all terms."""

    @property
    def any_term(self) -> str | None:
        """What has any term in any configuration, as a tsquery; None: nothing can."""
        distinct = dict.fromkeys(query for row in self.queries for query in row if query)
        return " | ".join(f"({query})" for query in distinct) or None


@dataclass(frozen=True, slots=True)
class WordHit:
    """A sentence that has a term."""

    meeting_id: UUID
    number: int
    configuration: str
    hits: int
    """Bit t: whether it has term t."""
    alike: int
    """How many sentences have the same terms in the same configuration."""


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
class Compared:
    """How far a comparison of meanings reached."""

    sentences: int
    """Compared, before filters of sentences."""
    since: datetime | None
    """When the oldest meeting that was compared was held; None: all were."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The meaning that is looked for."""

    model: str
    vector: tuple[float, ...]

    @property
    def text(self) -> str:
        """The vector as pgvector reads it."""
        return vector_text(np.asarray(self.vector))


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


async def count_sentences(connection: Connection, organization_id: UUID) -> int:
    """Return how many sentences of an organization are indexed."""
    count: int = await connection.fetchval(
        "SELECT coalesce(sum(sentences), 0)::bigint FROM search_meetings WHERE organization_id = $1", organization_id
    )
    return count


async def find_words(
    connection: Connection,
    organization_id: UUID,
    queries: TermQueries,
    wanted: SearchFilter,
    most_alike: int,
    most: int,
) -> list[WordHit]:
    """Return sentences that have a term: those with the same terms newest first, at most ``most_alike`` of them.

    Args:
        most: of all, those with most terms first.
    """
    if queries.any_term is None:
        return []
    values: list[Any] = [
        organization_id,
        queries.any_term,
        list(queries.configurations),
        [query for row in queries.queries for query in row],
        most_alike,
        most,
    ]
    conditions = meeting_conditions(wanted, values)
    conditions += sentence_conditions(wanted, queries.configurations, values)
    rows = await connection.fetch(
        "WITH found AS (SELECT f.meeting_id, f.number, f.configuration, f.hits, m.held_at"
        " FROM sentences_with_words($2::tsquery, $3::text[], $4::tsquery[]) f"
        " JOIN meetings m ON m.organization_id = $1 AND m.id = f.meeting_id AND m.delete_at IS NULL"
        " JOIN search_sentences s ON s.organization_id = $1 AND s.meeting_id = f.meeting_id AND s.number = f.number"
        f" WHERE f.organization_id = $1{conditions}),"
        " ranked AS (SELECT *, count(*) OVER (PARTITION BY configuration, hits) AS alike, row_number() OVER"
        " (PARTITION BY configuration, hits ORDER BY held_at DESC, meeting_id, number) AS place FROM found)"
        " SELECT meeting_id, number, configuration, hits, alike FROM ranked WHERE place <= $5"
        " ORDER BY bit_count(hits::bit(64)) DESC, place LIMIT $6",
        *values,
    )
    return [WordHit(**row) for row in rows]


async def find_meaning(
    connection: Connection,
    organization_id: UUID,
    configurations: Sequence[str],
    wanted: SearchFilter,
    meant: Meant,
    most_compared: int,
    most: int,
) -> tuple[list[tuple[UUID, int]], Compared]:
    """Return the sentences closest in meaning, (meeting, number) each, and how far they were compared.

    Every sentence is compared, in the newest meetings up to ``most_compared`` sentences.
    """
    values: list[Any] = [organization_id, most_compared]
    of_meetings = meeting_conditions(wanted, values)
    newest = (
        "WITH ordered AS (SELECT i.meeting_id, m.held_at, i.sentences, sum(i.sentences) OVER"
        " (ORDER BY m.held_at DESC, i.meeting_id) AS reach FROM search_meetings i"
        " JOIN meetings m ON m.organization_id = $1 AND m.id = i.meeting_id AND m.delete_at IS NULL"
        f" WHERE i.organization_id = $1{of_meetings}), newest AS (SELECT * FROM ordered WHERE reach <= $2)"
    )
    reach = await connection.fetchrow(
        f"{newest} SELECT coalesce((SELECT sum(sentences) FROM newest), 0)::bigint AS sentences,"
        " (SELECT min(held_at) FROM newest) AS since, (SELECT count(*) FROM ordered) > (SELECT count(*) FROM newest)"
        " AS cut",
        *values,
    )
    assert reach is not None
    values += [meant.model, meant.text, most]
    model, vector, limit = (f"${place}" for place in range(len(values) - 2, len(values) + 1))
    of_sentences = sentence_conditions(wanted, configurations, values)
    rows = await connection.fetch(
        f"{newest} SELECT s.meeting_id, s.number FROM newest JOIN search_sentences s"
        " ON s.organization_id = $1 AND s.meeting_id = newest.meeting_id"
        f" WHERE s.model = {model}{of_sentences}"
        f" ORDER BY CASE WHEN s.model = {model} THEN s.vector <#> {vector}::text::halfvec END,"
        f" s.meeting_id, s.number LIMIT {limit}",
        *values,
    )
    found = [(row["meeting_id"], row["number"]) for row in rows]
    return found, Compared(reach["sentences"], reach["since"] if reach["cut"] else None)


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
        " s.topic, CASE WHEN s.model = $4 AND $4 <> '' THEN -(s.vector <#> $5::text::halfvec) END AS similarity"
        " FROM unnest($2::uuid[], $3::integer[]) AS k (meeting_id, number)"
        " JOIN search_sentences s ON s.organization_id = $1 AND s.meeting_id = k.meeting_id AND s.number = k.number"
        " JOIN meetings m ON m.organization_id = $1 AND m.id = s.meeting_id AND m.delete_at IS NULL"
        " LEFT JOIN speakers p ON p.organization_id = $1 AND p.meeting_id = s.meeting_id AND p.label = s.speaker"
        " AND p.active",
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
