"""Meetings that are searched, in a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from server.conversation import Conversation, EngineCapabilities, Segment, Sentence
from server.engine import SENTENCE_VECTORS, SentenceVector, SessionBroke
from server.insights import compute_answers
from server.search import Search, index_meeting
from server.storage.pool import Database
from server.storage.users import User
from tests.server.storage.rows import HASH, ready_meeting

MODEL = f"{SENTENCE_VECTORS}test"
S = 1_000_000
# Each meaning is a direction of its own; what means the same has the same.
MEANINGS = 16


def direction(meaning: int) -> tuple[float, ...]:
    """The vector of a meaning."""
    return tuple(float(place == meaning) for place in range(MEANINGS))


@dataclass
class Reader:
    """Reads a query's meaning as a test says it is; what it does not know means nothing."""

    meanings: dict[str, int] = field(default_factory=dict)
    away: bool = False
    model: str = MODEL

    async def sentence_vector(self, text: str, within_s: float) -> SentenceVector:
        """The vector of a text."""
        if self.away:
            raise SessionBroke("away")
        meaning = self.meanings.get(text)
        return SentenceVector(self.model, (0.0,) * MEANINGS if meaning is None else direction(meaning))


@dataclass(frozen=True)
class Said:
    """A sentence of a meeting."""

    text: str
    speaker: int = 1
    language: str = "en"
    meaning: int | None = None


def conversation_of(said: Sequence[Said], model: str = MODEL) -> Conversation:
    """A conversation of these sentences, two seconds each."""
    sentences = tuple(
        Sentence(
            number,
            one.speaker,
            number * 2 * S,
            number * 2 * S + S,
            one.text,
            asks=False,
            vector=b"" if one.meaning is None else np.asarray(direction(one.meaning), "<f2").tobytes(),
            language=one.language,
        )
        for number, one in enumerate(said)
    )
    segments = tuple(
        Segment(one.segment_id, one.speaker, one.start_us, one.end_us, language=one.language) for one in sentences
    )
    speakers = tuple(dict.fromkeys(one.speaker for one in said if one.speaker))
    engine = EngineCapabilities(models=(model,), languages=("en",))
    return Conversation(len(said) * 2 * S, speakers, segments, engine, sentences=sentences)


async def indexed(
    database: Database, user: User, *said: Said, file_hash: str = HASH, names: Sequence[str] = (), name: str = "m"
) -> UUID:
    """A ready meeting with these sentences, searched."""
    conversation = conversation_of(said)
    answers = compute_answers(conversation)
    meeting_id = await ready_meeting(
        database,
        user,
        file_hash,
        labels=conversation.speakers,
        conversation=conversation.to_document(),
        answers={key: (answer.definition_version, dict(answer.document)) for key, answer in answers.items()},
    )
    await database.run(
        lambda c: index_meeting(c, user.organization_id, meeting_id, conversation, answers),
        organization_id=user.organization_id,
    )
    for label, alias in enumerate(names, start=1):
        await database.run(
            lambda c, a=alias, n=label: c.execute(  # type: ignore[misc]
                "UPDATE speakers SET alias = $3 WHERE meeting_id = $1 AND label = $2", meeting_id, n, a
            ),
            organization_id=user.organization_id,
        )
    await database.run(
        lambda c: c.execute("UPDATE meetings SET name = $2 WHERE id = $1", meeting_id, name),
        organization_id=user.organization_id,
    )
    return meeting_id


def search_of(database: Database, **meanings: int) -> Search:
    """A search whose engine knows these meanings; ``_`` stands for a space."""
    return Search(database, Reader({text.replace("_", " "): meaning for text, meaning in meanings.items()}))
