# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""Sentences that are closest in meaning to what is searched for.

Few are compared by their vectors, every one. Of many the sketches are compared first, a bit for each number of a vector
(Charikar, "Similarity estimation techniques from rounding algorithms", 2002), and then the vectors of those whose
sketches differ in fewest bits. Sketches of a meeting are one value; each vector is a row that has to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from server.storage.pool import Connection
from server.storage.search_filter import SearchFilter, sentence_conditions
from server.storage.search_newest import NewestMeetings
from server.storage.search_queries import Meant

# Sentences up to which all vectors are compared.
MAX_EXACT = 3000
# Sentences whose vectors are compared after sketches. How many of the closest are among them: docs/accuracy.md.
MAX_NEAR = 1000


async def find_meaning(
    connection: Connection,
    organization_id: UUID,
    configurations: Sequence[str],
    wanted: SearchFilter,
    meant: Meant,
    newest: NewestMeetings,
    most: int,
    max_exact: int = MAX_EXACT,
) -> list[tuple[UUID, int]]:
    """Return the sentences of meetings closest in meaning, (meeting, number) each.

    Args:
        newest: the meetings.
        max_exact: with more sentences sketches are compared first, unless only some sentences are wanted: a sketch does
            not say which.
    """
    if newest.sentences <= max_exact or wanted.passes_over_sentences:
        return await _by_vectors(connection, organization_id, configurations, wanted, meant, newest.ids, most)
    rows = await connection.fetch(
        # The bits of the query are in a query of their own, so that they are made once and not for each sentence.
        "WITH near AS MATERIALIZED (SELECT s.meeting_id, s.number FROM unnest($2::uuid[]) AS k (id)"
        " CROSS JOIN LATERAL (SELECT i.meeting_id, unnest(i.numbers) AS number, unnest(i.sketches) AS sketch"
        " FROM search_meetings i WHERE i.organization_id = $1 AND i.meeting_id = k.id AND i.model = $4 OFFSET 0) s"
        " ORDER BY s.sketch <~> (SELECT binary_quantize($5::text::halfvec)) LIMIT $7),"
        # Meetings that an earlier version has indexed.
        " without AS (SELECT s.meeting_id, s.number FROM unnest($3::uuid[]) AS k (id)"
        " CROSS JOIN LATERAL (SELECT s.meeting_id, s.number FROM search_sentences s"
        " WHERE s.organization_id = $1 AND s.meeting_id = k.id OFFSET 0) s)"
        " SELECT s.meeting_id, s.number FROM (SELECT * FROM near UNION ALL SELECT * FROM without) AS n"
        " CROSS JOIN LATERAL (SELECT s.meeting_id, s.number, s.vector FROM search_sentences s"
        " WHERE s.organization_id = $1 AND s.meeting_id = n.meeting_id AND s.number = n.number AND s.model = $4"
        " OFFSET 0) s ORDER BY s.vector <#> (SELECT $5::text::halfvec), s.meeting_id, s.number LIMIT $6",
        organization_id,
        [meeting.id for meeting in newest.meetings if meeting.sketched],
        [meeting.id for meeting in newest.meetings if not meeting.sketched],
        meant.model,
        meant.text,
        most,
        max(most, MAX_NEAR),
    )
    return [(row["meeting_id"], row["number"]) for row in rows]


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
