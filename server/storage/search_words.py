# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Sentences that a search ranks by their words.

What is looked at is bounded, however many meetings there are: the newest of them, and beyond these what the index of
words finds by words that few sentences have.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from server.storage.pool import Connection
from server.storage.search_filter import SearchFilter, meeting_conditions, sentence_conditions
from server.storage.search_newest import MeetingsByAge
from server.storage.search_queries import TermQueries

# The part of the sentences that is looked at first, and by how much more than seems needed the next one is.
_FIRST_SHARE, _MARGIN = 5, 1.25
# Bit t for term t, as ``sentences_with_words`` has it.
_HITS = (
    "(SELECT coalesce(sum(1::bigint << t - 1), 0)::bigint"
    " FROM generate_series(1, cardinality({terms}) / cardinality({configurations})) t"
    " WHERE s.words @@ {terms}[(array_position({configurations}, s.configuration) - 1)"
    " * (cardinality({terms}) / cardinality({configurations})) + t])"
)


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


@dataclass(slots=True)
class _Seen:
    """What was seen of meetings that were looked at one after another, the newest first."""

    most_alike: int
    hits: dict[tuple[str, int], list[WordHit]] = field(default_factory=dict)
    """Wanted sentences by (configuration, terms), at most ``most_alike`` of each."""
    wanted: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many sentences are wanted by (configuration, terms)."""
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many have the same terms, wanted or not."""

    def add(self, hit: WordHit, *, wanted: bool, is_first: bool) -> None:
        """Add a sentence; the first of those with the same terms, in the same meetings, counts for all of these."""
        key = (hit.configuration, hit.hits)
        if is_first:
            self.counts[key] += hit.alike
        if wanted:
            own = self.hits.setdefault(key, [])
            if is_first:
                self.wanted[key] += hit.alike
            if len(own) < self.most_alike:
                own.append(hit)

    def have(self, terms: int) -> int:
        """Return how many sentences have all of these terms."""
        return sum(count for (_, hits), count in self.counts.items() if hits & terms == terms)

    def have_enough(self, queries: TermQueries) -> bool:
        """Return whether so many have every term that no other sentence would be ranked before them."""
        full = {
            (name, sum(1 << term for term, query in enumerate(own) if query))
            for name, own in zip(queries.configurations, queries.queries, strict=True)
        }
        return sum(len(self.hits.get(key, ())) for key in full) >= self.most_alike

    def scaled(self, share: float) -> list[WordHit]:
        """Return the hits, those with the same terms counted as in ``share`` times as many sentences."""
        return [replace(hit, alike=round(self.wanted[key] * share)) for key, hits in self.hits.items() for hit in hits]


async def find_words(
    connection: Connection,
    organization_id: UUID,
    queries: TermQueries,
    wanted: SearchFilter,
    meetings: MeetingsByAge,
    looked_at: int,
    looked_at_for_some: int,
    sentences: int,
    most_alike: int,
    most: int,
) -> list[WordHit]:
    """Return sentences that have a term: those with the same terms newest first, at most ``most_alike`` of them.

    The newest sentences are looked at one by one: a fifth of ``looked_at``, then as many as it takes, up to all of
    these, until each term is known to be common, which ``most_alike`` of these have, or to be rare (``_further``). A
    common term is not looked for beyond them; but all common terms together are, and each of the others.

    Args:
        meetings: those that are looked at.
        looked_at_for_some: so many sentences instead where a filter passes over some sentences, and a term is common.
        sentences: indexed, of the organization.
        most: of all, those with most terms first.
    """
    if queries.any_term is None:
        return []
    look = _Words(connection, organization_id, queries, wanted, most_alike, most)
    reach: int | None = looked_at // _FIRST_SHARE
    while reach is not None:
        first = await meetings.newest(reach)
        await look.at_meetings(first.ids)
        seen = max(1, reach, first.sentences)
        reach = None if first.are_all else _further(look.seen, queries, seen, looked_at)
    common = [term for term in range(queries.terms) if look.seen.have(1 << term) >= most_alike]
    passes_over = wanted.passes_over_sentences and common and not look.seen.have_enough(queries)
    if passes_over and not first.are_all:
        first = await meetings.newest(looked_at_for_some)
        await look.at_meetings(first.ids)
    if first.are_all:
        return look.seen.scaled(1)
    rare = [term for term in range(queries.terms) if term not in common]
    together = sum(1 << term for term in common) if len(common) > 1 else 0
    if together and look.seen.have(together) >= most_alike:
        together = 0
    beyond = await look.by_index(queries.any_of(rare, [term for term in common if together >> term & 1]))
    found_beyond = {(hit.meeting_id, hit.number) for hit in beyond}
    return beyond + [
        hit
        for hit in look.seen.scaled(max(1.0, sentences / max(1, first.sentences)))
        if (hit.meeting_id, hit.number) not in found_beyond and not any(hit.hits >> term & 1 for term in rare)
    ]


def _further(seen: _Seen, queries: TermQueries, looked_at: int, most: int) -> int | None:
    """Return how many sentences to look at next, at most ``most``; None if nothing further back matters.

    That is where enough have every term, or where each term, and all common ones together, are common or rare. What is
    rare is looked for by the index of words; of common ones enough are seen already. Some of several common terms may
    stand together in sentences that are to be found in no other way: for these as many as possible are looked at.
    """
    if looked_at >= most or seen.have_enough(queries):
        return None
    counts = {1 << term: seen.have(1 << term) for term in range(queries.terms)}
    common = [terms for terms, count in counts.items() if count >= seen.most_alike]
    if len(common) > 1:
        counts[sum(common)] = seen.have(sum(common))
    if len(common) > 2 and counts[sum(common)] < seen.most_alike:
        return most
    # What so few have is rare, whatever is seen of the others.
    least = max(1, seen.most_alike // 10)
    open_ = [count for count in counts.values() if least <= count < seen.most_alike]
    return min(most, math.ceil(_MARGIN * looked_at * seen.most_alike / min(open_))) if open_ else None


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
        self._looked_at: set[UUID] = set()
        self.seen = _Seen(most_alike)
        self._values: list[Any] = [
            organization_id,
            list(queries.configurations),
            [query for row in queries.queries for query in row],
            most_alike,
            most,
        ]
        self._conditions = sentence_conditions(wanted, queries.configurations, self._values)

    async def at_meetings(self, meeting_ids: Sequence[UUID]) -> None:
        """Look at each sentence of meetings, the newest first; at those of the same meeting once."""
        further = [id_ for id_ in meeting_ids if id_ not in self._looked_at]
        if not further:
            return
        self._looked_at.update(further)
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
            further,
            self._queries.any_term,
        )
        for row in rows:
            self.seen.add(_hit(row), wanted=row["wanted"], is_first=row["place"] == 1)

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
