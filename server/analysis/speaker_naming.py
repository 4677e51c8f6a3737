"""Names of a meeting's speakers: from tracks, known voices or the words, else numbers."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from server.analysis.recording import SessionResult
from server.analysis.voices import heard_again, matched
from server.conversation import Conversation
from server.insights import named_speakers
from server.storage import Connection, SpeakerRow, VoiceRow, speaker_id, voices


def spoken_names(conversation: Conversation, meeting_id: UUID, known: Mapping[int, str]) -> list[SpeakerRow]:
    """Return all speakers, named as in ``known``, else by a clear mention in the words, else by number."""
    guesses = {named.speaker: named for named in named_speakers(conversation)}
    rows = []
    for label in conversation.speakers:
        id_ = speaker_id(meeting_id, label)
        if label in known:
            rows.append(SpeakerRow(label, id_, known[label], "track"))
            continue
        guess = guesses.get(label)
        alias, source = (guess.name, "spoken") if guess else (f"Speaker {label}", "number")
        rows.append(SpeakerRow(label, id_, alias, source, guess.confidence if guess else None))
    return rows


async def recognise(
    connection: Connection,
    organization_id: UUID,
    said: SessionResult,
    vectors: Mapping[int, NDArray[np.float32]],
    rows: list[SpeakerRow],
) -> tuple[list[SpeakerRow], list[tuple[UUID, UUID]]]:
    """Match speakers with the organization's known voices, and store new voices.

    Args:
        said: a session result, for the embedding model and its threshold.
        vectors: unit-length embeddings by speaker number.
        rows: the speakers as named so far.

    Returns the speakers with names of known voices, and (speaker id, voice id) links. Without the organization's
    consent, returns ``rows`` and no links.
    """
    if not await voices.recognises(connection, organization_id):
        return rows, []
    known = {voice.id: voice for voice in await voices.lock_known(connection, organization_id, said.voice_model)}
    by_label = {match.label: match for match in matched(vectors, list(known.values()), said.same_voice_similarity)}
    named, links = [], []
    for row in rows:
        match, vector = by_label.get(row.label), vectors.get(row.label)
        if match:
            voice = heard_again(known[match.voice_id], vectors[row.label])
            if voice.name and row.alias_source != "track":
                row = SpeakerRow(row.label, row.id, voice.name, "voice", round(match.similarity, 3))
        elif vector is not None:
            voice = VoiceRow(uuid4(), "", vector.astype("<f4").tobytes(), 1)
        else:
            named.append(row)
            continue
        await voices.store(connection, organization_id, said.voice_model, voice)
        links.append((row.id, voice.id))
        named.append(row)
    return named, links
