# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Sentences that are closest in meaning to what is searched for.

Few are compared by their vectors, every one. Of many the sketches are compared first, a bit for each number of a vector
(Charikar, "Similarity estimation techniques from rounding algorithms", 2002), and then the vectors of those whose
sketches differ in fewest bits. Sketches of a meeting are one value; each vector is a row that has to be read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.pool import Connection
from server.storage.search import SKETCHED_SINCE
from server.storage.search_filter import SearchFilter, meeting_conditions, sentence_conditions
from server.storage.search_newest import MeetingsByAge
from server.storage.search_queries import IndexedSentences, Meant

# Meetings whose sketches are compared: each costs as much as some twenty of its sentences.
MAX_MEETINGS = 640
# How many more meetings are read than seem needed, and how many at least.
_MARGIN, _LEAST_MEETINGS = 1.05, 32
# Of the newest meetings as many as have the sentences to be compared, or the newest one: in one statement, as there may
# be hundreds. A lateral query with an offset is looked up row by row, and no table is read whole. The bits of the query
# are in a query of their own, so that they are made once and not for each sentence. ``without`` is of meetings that an
# earlier version has indexed.
_BY_SKETCHES = """
    WITH page AS MATERIALIZED (
        SELECT m.id, m.held_at, i.sentences, i.version >= $7 AS sketched, i.model, i.numbers, i.sketches,
            sum(i.sentences) OVER (ORDER BY m.held_at DESC, m.id DESC ROWS UNBOUNDED PRECEDING) AS reach
        FROM (SELECT m.id, m.held_at FROM meetings m WHERE m.organization_id = $1 AND m.delete_at IS NULL{of_meetings}
              ORDER BY m.held_at DESC, m.id DESC LIMIT {size}) m
        LEFT JOIN LATERAL (SELECT i.sentences, i.version, i.model, i.numbers, i.sketches FROM search_meetings i
                           WHERE i.organization_id = $1 AND i.meeting_id = m.id OFFSET 0) i ON true),
    newest AS NOT MATERIALIZED (SELECT * FROM page WHERE reach <= $4 OR reach = sentences),
    near AS MATERIALIZED (
        SELECT s.id, s.number FROM (
            SELECT id, unnest(numbers) AS number, unnest(sketches) AS sketch FROM newest
            WHERE sketched AND model = $2) s
        ORDER BY s.sketch <~> (SELECT binary_quantize($3::text::halfvec)) LIMIT $6),
    without AS (
        SELECT n.id, s.number FROM newest n CROSS JOIN LATERAL (
            SELECT s.number FROM search_sentences s WHERE s.organization_id = $1 AND s.meeting_id = n.id OFFSET 0) s
        WHERE NOT n.sketched),
    found AS (
        SELECT s.meeting_id, s.number, s.vector <#> (SELECT $3::text::halfvec) AS distance
        FROM (SELECT * FROM near UNION ALL SELECT * FROM without) n CROSS JOIN LATERAL (
            SELECT s.meeting_id, s.number, s.vector FROM search_sentences s WHERE s.organization_id = $1
            AND s.meeting_id = n.id AND s.number = n.number AND s.model = $2 OFFSET 0) s
        ORDER BY distance, s.meeting_id, s.number LIMIT $5)
    SELECT r.*, found.meeting_id, found.number
    FROM (SELECT (SELECT count(*) FROM page) AS meetings, (SELECT coalesce(max(reach), 0) > $4 FROM page) AS reached,
              coalesce(sum(sentences), 0) AS compared, min(held_at) AS since FROM newest) r
    LEFT JOIN found ON true ORDER BY distance, found.meeting_id, found.number
"""
# Sentences up to which all vectors are compared.
MAX_EXACT = 3000
# Sentences whose vectors are compared after sketches. How many of the closest are among them: docs/accuracy.md.
MAX_NEAR = 500


@dataclass(frozen=True, slots=True)
class Closest:
    """The sentences closest in meaning."""

    keys: list[tuple[UUID, int]]
    """(meeting, number), the closest first."""
    compared: int
    """In how many sentences they were looked for."""
    since: datetime | None
    """When the oldest meeting of these was held, if there are older ones."""


async def find_meaning(
    connection: Connection,
    organization_id: UUID,
    configurations: Sequence[str],
    wanted: SearchFilter,
    meant: Meant,
    meetings: MeetingsByAge,
    indexed: IndexedSentences,
    compared: int,
    most: int,
    max_exact: int = MAX_EXACT,
) -> Closest:
    """Return the ``most`` sentences closest in meaning, of the newest meetings with ``compared`` sentences together.

    Where sketches are compared, of ``MAX_MEETINGS`` meetings at most.

    Args:
        meetings: the wanted ones.
        indexed: of the organization, about.
        max_exact: with more sentences sketches are compared first, unless only some sentences are wanted: a sketch does
            not say which.
    """
    if indexed.sentences > max_exact and not wanted.passes_over_sentences:
        found = await _by_sketches(connection, organization_id, wanted, meant, indexed, compared, most)
        if found.compared > max_exact:
            return found
    newest = await meetings.newest(compared)
    keys = await _by_vectors(connection, organization_id, configurations, wanted, meant, newest.ids, most)
    return Closest(keys, newest.sentences, newest.since)


async def _by_sketches(
    connection: Connection,
    organization_id: UUID,
    wanted: SearchFilter,
    meant: Meant,
    indexed: IndexedSentences,
    compared: int,
    most: int,
) -> Closest:
    values: list[Any] = [organization_id, meant.model, meant.text, compared, most, max(most, MAX_NEAR), SKETCHED_SINCE]
    of_meetings = meeting_conditions(wanted, values)
    size = _meetings_with(compared, indexed)
    while True:
        rows = await connection.fetch(_BY_SKETCHES.format(of_meetings=of_meetings, size=size), *values)
        are_all = rows[0]["meetings"] < size and not rows[0]["reached"]
        if are_all or rows[0]["reached"] or size == MAX_MEETINGS:
            break
        # These have fewer sentences than others of the organization.
        size = min(2 * size, MAX_MEETINGS)
    keys = [(row["meeting_id"], row["number"]) for row in rows if row["meeting_id"] is not None]
    return Closest(keys, rows[0]["compared"], None if are_all else rows[0]["since"])


def _meetings_with(sentences: int, indexed: IndexedSentences) -> int:
    """Return how many meetings are likely to have so many sentences, in steps of which there are few.

    The planner is told it, and plans once for each.
    """
    enough = max(_LEAST_MEETINGS, _MARGIN * sentences * indexed.meetings / max(1, indexed.sentences))
    power = 1 << (math.ceil(enough) - 1).bit_length()
    return min(MAX_MEETINGS, power * 3 // 4 if enough <= power * 3 // 4 else power)


async def _by_vectors(
    connection: Connection,
    organization_id: UUID,
    configurations: Sequence[str],
    wanted: SearchFilter,
    meant: Meant,
    ids: list[UUID],
    most: int,
) -> list[tuple[UUID, int]]:
    values: list[Any] = [organization_id, ids, meant.model, meant.text, most]
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
