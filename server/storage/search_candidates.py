# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Sentences that a search ranks: by their words, and by their meaning.

What is looked at is bounded, however many meetings there are: the newest of them, and beyond these what the index of
words finds by words that few sentences have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.pool import Connection
from server.storage.search_filter import SearchFilter, meeting_conditions, sentence_conditions
from server.storage.search_queries import Meant, TermQueries

# Meetings in one statement that looks for the newest ones.
_FIRST_PAGE, _MOST_PAGE = 250, 2000
# Bit t for term t, as ``sentences_with_words`` has it.
_HITS = (
    "(SELECT coalesce(sum(1::bigint << t - 1), 0)::bigint"
    " FROM generate_series(1, cardinality({terms}) / cardinality({configurations})) t"
    " WHERE s.words @@ {terms}[(array_position({configurations}, s.configuration) - 1)"
    " * (cardinality({terms}) / cardinality({configurations})) + t])"
)


@dataclass(frozen=True, slots=True)
class NewestMeetings:
    """Indexed meetings, the newest first."""

    meetings: tuple[tuple[UUID, datetime, int], ...]
    """Id, when it was held, sentences."""
    are_all: bool
    """Whether there are no others."""

    def first(self, most: int) -> NewestMeetings:
        """Return the newest ones up to ``most`` sentences together, or the newest one."""
        reach = 0
        for place, (_, _, sentences) in enumerate(self.meetings):
            reach += sentences
            if reach > most and place > 0:
                return NewestMeetings(self.meetings[:place], are_all=False)
        return self

    @property
    def sentences(self) -> int:
        """How many they have together."""
        return sum(sentences for _, _, sentences in self.meetings)

    @property
    def since(self) -> datetime | None:
        """When the oldest of them was held, if there are older ones."""
        return None if self.are_all or not self.meetings else self.meetings[-1][1]

    @property
    def ids(self) -> list[UUID]:
        """Their ids."""
        return [id_ for id_, _, _ in self.meetings]


@dataclass(frozen=True, slots=True)
class WordHit:
    """A sentence that has a term."""

    meeting_id: UUID
    number: int
    configuration: str
    hits: int
    """Bit t: whether it has term t."""
    alike: int
    """How many sentences have the same terms in the same configuration; about, where not all were looked at."""


async def find_newest(connection: Connection, organization_id: UUID, wanted: SearchFilter, most: int) -> NewestMeetings:
    """Return the newest meetings that a search looks at, up to ``most`` sentences together, or the newest one."""
    found: list[tuple[UUID, datetime, int]] = []
    last: tuple[datetime, UUID] | None = None
    sentences, size = 0, _FIRST_PAGE
    while sentences <= most:
        values: list[Any] = [organization_id]
        conditions = meeting_conditions(wanted, values)
        if last is not None:
            values += last
            conditions += f" AND (m.held_at, m.id) < (${len(values) - 1}, ${len(values)})"
        rows = await connection.fetch(
            "SELECT m.id, m.held_at, (SELECT i.sentences FROM search_meetings i WHERE i.organization_id = $1"
            " AND i.meeting_id = m.id) AS sentences FROM meetings m WHERE m.organization_id = $1"
            f" AND m.delete_at IS NULL{conditions} ORDER BY m.held_at DESC, m.id DESC LIMIT {size}",
            *values,
        )
        indexed = [(row["id"], row["held_at"], row["sentences"]) for row in rows if row["sentences"] is not None]
        found += indexed
        sentences += sum(count for _, _, count in indexed)
        if len(rows) < size:
            return NewestMeetings(tuple(found), are_all=True).first(most)
        last = rows[-1]["held_at"], rows[-1]["id"]
        size = min(2 * size, _MOST_PAGE)
    return NewestMeetings(tuple(found), are_all=False).first(most)


async def find_words(
    connection: Connection,
    organization_id: UUID,
    queries: TermQueries,
    wanted: SearchFilter,
    newest: NewestMeetings,
    looked_at: int,
    sentences: int,
    most_alike: int,
    most: int,
) -> list[WordHit]:
    """Return sentences that have a term: those with the same terms newest first, at most ``most_alike`` of them.

    The newest ``looked_at`` sentences are looked at one by one, or a fifth of them where these have hardly any of the
    terms. A term that ``most_alike`` of these have is common, and is not looked for beyond them; but all common terms
    together are, and each of the others.

    Args:
        newest: the meetings that are looked at one by one at most: where a filter of sentences passes over some.
        sentences: indexed, of the organization.
        most: of all, those with most terms first.
    """
    if queries.any_term is None:
        return []
    look = _Words(connection, organization_id, queries, wanted, most_alike, most)
    first = newest.first(looked_at // 5)
    hits, counts = await look.at_meetings(first)
    if not first.are_all and any(_sentences_with(counts, 1 << t) >= most_alike // 10 for t in range(queries.terms)):
        # Some term may be common.
        first = newest.first(looked_at)
        hits, counts = await look.at_meetings(first)
    if first.are_all:
        return hits
    common = [term for term in range(queries.terms) if _sentences_with(counts, 1 << term) >= most_alike]
    if common and wanted.passes_over_sentences:
        first = newest
        hits, _ = await look.at_meetings(first)
    rare = [term for term in range(queries.terms) if term not in common]
    together = sum(1 << term for term in common) if len(common) > 1 else 0
    if together and _sentences_with(counts, together) >= most_alike:
        together = 0
    beyond = await look.by_index(queries.any_of(rare, [term for term in common if together >> term & 1]))
    found_beyond = {(hit.meeting_id, hit.number) for hit in beyond}
    share = max(1.0, sentences / max(1, first.sentences))
    return beyond + [
        WordHit(hit.meeting_id, hit.number, hit.configuration, hit.hits, round(hit.alike * share))
        for hit in hits
        if (hit.meeting_id, hit.number) not in found_beyond and not any(hit.hits >> term & 1 for term in rare)
    ]


def _sentences_with(counts: dict[tuple[str, int], int], bits: int) -> int:
    return sum(count for (_, hits), count in counts.items() if hits & bits == bits)


class _Words:
    """Looks for the terms of a query."""

    def __init__(
        self,
        connection: Connection,
        organization_id: UUID,
        queries: TermQueries,
        wanted: SearchFilter,
        most_alike: int,
        most: int,
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._wanted = wanted
        self._values: list[Any] = [
            organization_id,
            list(queries.configurations),
            [query for row in queries.queries for query in row],
            most_alike,
            most,
        ]
        self._conditions = sentence_conditions(wanted, queries.configurations, self._values)

    async def at_meetings(self, newest: NewestMeetings) -> tuple[list[WordHit], dict[tuple[str, int], int]]:
        """Look at each sentence of meetings.

        Returns those that are wanted, and how many have the same terms by (configuration, terms), wanted or not.
        """
        ids, any_term = f"${len(self._values) + 1}", f"${len(self._values) + 2}"
        hits = _HITS.format(configurations="($2::text[])", terms="($3::tsquery[])")
        # A lateral query with an offset is never read whole and joined then.
        rows = await self._connection.fetch(
            f"WITH found AS (SELECT s.*, {hits} AS hits FROM unnest({ids}::uuid[]) WITH ORDINALITY AS k (id, place)"
            " CROSS JOIN LATERAL (SELECT k.place AS meeting, s.meeting_id, s.number, s.configuration, s.words,"
            f" (true{self._conditions}) AS wanted FROM search_sentences s WHERE s.organization_id = $1"
            f" AND s.meeting_id = k.id AND s.words @@ {any_term}::tsquery OFFSET 0) s),"
            " ranked AS (SELECT *, count(*) OVER same AS alike,"
            " row_number() OVER (same ORDER BY meeting, number) AS place FROM found"
            " WHERE hits > 0 WINDOW same AS (PARTITION BY configuration, hits, wanted))"
            " SELECT meeting_id, number, configuration, hits, alike, wanted, place FROM ranked"
            " WHERE place <= CASE WHEN wanted THEN $4 ELSE 1 END"
            " ORDER BY bit_count(hits::bit(64)) DESC, place LIMIT $5",
            *self._values,
            newest.ids,
            self._queries.any_term,
        )
        counts: dict[tuple[str, int], int] = {}
        for row in rows:
            if row["place"] == 1:
                key = (row["configuration"], row["hits"])
                counts[key] = counts.get(key, 0) + row["alike"]
        return [_hit(row) for row in rows if row["wanted"]], counts

    async def by_index(self, any_term: str | None) -> list[WordHit]:
        """Look for sentences that match a query of words, in all meetings."""
        if any_term is None:
            return []
        values = [*self._values, any_term]
        query = f"${len(values)}"
        of_meetings = meeting_conditions(self._wanted, values)
        sentence = ""
        if self._wanted.passes_over_sentences:
            sentence = (
                " CROSS JOIN LATERAL (SELECT * FROM search_sentences s WHERE s.organization_id = $1"
                " AND s.meeting_id = f.meeting_id AND s.number = f.number OFFSET 0) s"
            )
        rows = await self._connection.fetch(
            "WITH found AS (SELECT f.meeting_id, f.number, f.configuration, f.hits, m.held_at"
            f" FROM sentences_with_words({query}::tsquery, $2::text[], $3::tsquery[]) f"
            " CROSS JOIN LATERAL (SELECT * FROM meetings m WHERE m.organization_id = $1 AND m.id = f.meeting_id"
            " AND m.delete_at IS NULL OFFSET 0) m"
            f"{sentence} WHERE f.organization_id = $1{of_meetings}{self._conditions}),"
            " ranked AS (SELECT *, count(*) OVER (PARTITION BY configuration, hits) AS alike, row_number() OVER"
            " (PARTITION BY configuration, hits ORDER BY held_at DESC, meeting_id DESC, number) AS place FROM found)"
            " SELECT meeting_id, number, configuration, hits, alike FROM ranked WHERE place <= $4"
            " ORDER BY bit_count(hits::bit(64)) DESC, place LIMIT $5",
            *values,
        )
        return [_hit(row) for row in rows]


def _hit(row: Any) -> WordHit:
    return WordHit(row["meeting_id"], row["number"], row["configuration"], row["hits"], row["alike"])


async def find_meaning(
    connection: Connection,
    organization_id: UUID,
    configurations: Sequence[str],
    wanted: SearchFilter,
    meant: Meant,
    newest: NewestMeetings,
    most: int,
) -> list[tuple[UUID, int]]:
    """Return the sentences of meetings closest in meaning, (meeting, number) each; every one is compared."""
    values: list[Any] = [organization_id, newest.ids, meant.model, meant.text, most]
    of_sentences = sentence_conditions(wanted, configurations, values)
    rows = await connection.fetch(
        "SELECT s.meeting_id, s.number FROM unnest($2::uuid[]) AS k (id)"
        " CROSS JOIN LATERAL (SELECT s.meeting_id, s.number, s.vector FROM search_sentences s"
        f" WHERE s.organization_id = $1 AND s.meeting_id = k.id AND s.model = $3{of_sentences} OFFSET 0) s"
        # Of its own, so that the vector is read once and not for each sentence.
        " ORDER BY s.vector <#> (SELECT $4::text::halfvec), s.meeting_id, s.number LIMIT $5",
        *values,
    )
    return [(row["meeting_id"], row["number"]) for row in rows]
