"""The index of search: sentences of finished meetings, with their words and their meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.storage.pool import Connection

# The first version of rows (``replace``) with sketches of the sentences. Those of an earlier one may stand beside
# sketches of other sentences.
SKETCHED_SINCE = 2


@dataclass(frozen=True, slots=True)
class SearchSentence:
    """A sentence as it is indexed."""

    number: int
    """Its place in the meeting."""
    speaker: int
    start_ms: int
    end_ms: int
    language: str
    """BCP 47 primary tag; empty if unknown."""
    topic: str
    topic_key: str
    """Name and keywords of the topic without case, one a line."""
    text: str
    configuration: str
    """PostgreSQL's text search configuration."""
    words: str
    """What the configuration brings to stems."""
    model: str
    """Of the vector; empty without one."""
    vector: bytes
    """Little-endian float16, of unit length; empty without one."""


def vector_text(vector: NDArray[np.floating[Any]]) -> str:
    """Return a vector as pgvector reads it."""
    # Five digits restore each float16.
    return "[" + ",".join(["%.5g"] * len(vector)) % tuple(vector.tolist()) + "]"


async def replace(
    connection: Connection,
    organization_id: UUID,
    meeting_id: UUID,
    version: int,
    sentences: Sequence[SearchSentence],
) -> None:
    """Index a meeting, instead of what was indexed of it."""
    await connection.execute(
        "DELETE FROM search_sentences WHERE organization_id = $1 AND meeting_id = $2", organization_id, meeting_id
    )
    await connection.executemany(
        "INSERT INTO search_sentences (meeting_id, number, speaker, start_ms, end_ms, language, topic, topic_key, text,"
        " configuration, words, model, vector) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
        " to_tsvector($10::text::regconfig, $11) || array_to_tsvector(ARRAY[organization_lexeme()]), $12,"
        " $13::text::halfvec)",
        [
            (
                meeting_id,
                s.number,
                s.speaker,
                s.start_ms,
                s.end_ms,
                s.language,
                s.topic,
                s.topic_key,
                s.text,
                s.configuration,
                s.words,
                s.model,
                vector_text(np.frombuffer(s.vector, "<f2")) if s.vector else None,
            )
            for s in sentences
        ],
    )
    await connection.execute(
        "INSERT INTO search_meetings (meeting_id, version, sentences, model, numbers, sketches)"
        " SELECT $1, $2, $3, coalesce(min(model), ''), coalesce(array_agg(number ORDER BY number), '{}'),"
        " coalesce(array_agg(binary_quantize(vector)::bit varying ORDER BY number), '{}') FROM search_sentences"
        " WHERE organization_id = $4 AND meeting_id = $1 AND vector IS NOT NULL"
        " ON CONFLICT (meeting_id) DO UPDATE SET version = excluded.version, sentences = excluded.sentences,"
        " model = excluded.model, numbers = excluded.numbers, sketches = excluded.sketches",
        meeting_id,
        version,
        len(sentences),
        organization_id,
    )


async def find_unindexed(
    connection: Connection, version: int, passed_over: Sequence[UUID], most: int
) -> list[tuple[UUID, UUID]]:
    """Return meetings, of any organization, that are to be indexed: (meeting, organization), the newest first."""
    rows = await connection.fetch("SELECT * FROM meetings_to_index($1, $2, $3)", version, list(passed_over), most)
    return [(row["meeting_id"], row["organization_id"]) for row in rows]


async def try_lock_meeting(connection: Connection, organization_id: UUID, meeting_id: UUID) -> bool:
    """Lock a finished meeting's row until the transaction ends; return False if it is gone, or another has it."""
    locked = await connection.fetchval(
        "SELECT true FROM meetings WHERE organization_id = $1 AND id = $2 AND status = 'ready' FOR UPDATE SKIP LOCKED",
        organization_id,
        meeting_id,
    )
    return bool(locked)
