"""Names of a meeting's speakers: from tracks, known voices or the words, else numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from server.analysis.recording import GivenName, SessionResult
from server.analysis.voices import match_voices, update_voice
from server.conversation import Conversation, Interval, merge_intervals
from server.insights import find_speaker_names
from server.storage import Connection, SpeakerRow, VoiceRow, speaker_id, voices


def match_given_names(conversation: Conversation, given: Sequence[GivenName]) -> dict[int, str]:
    """Return the names given while the meeting ran, by number of the speaker whose speech each was given to."""
    spoken = {label: conversation.speech(label) for label in conversation.speakers}
    shared = sorted(
        (-_shared_us(name.speech, speech), place, label)
        for place, name in enumerate(given)
        for label, speech in spoken.items()
    )
    matched: dict[int, int] = {}
    for shared_us, place, label in shared:
        if shared_us < 0 and place not in matched.values() and label not in matched:
            matched[label] = place
    return {label: given[place].name for label, place in matched.items()}


def _shared_us(first: Sequence[Interval], second: Sequence[Interval]) -> int:
    """Return how long both lists of intervals last at once, microseconds; each in time order."""
    total = 0
    later = iter(sorted(second))
    current = next(later, None)
    for start_us, end_us in merge_intervals(first):
        while current is not None and current.end_us <= start_us:
            current = next(later, None)
        while current is not None and current.start_us < end_us:
            total += min(end_us, current.end_us) - max(start_us, current.start_us)
            if current.end_us > end_us:
                break
            current = next(later, None)
    return total


def name_speakers(
    conversation: Conversation,
    meeting_id: UUID,
    known_names: Mapping[int, str],
    given: Sequence[GivenName] = (),
    room_names: Mapping[int, str] | None = None,
    *,
    hide_names: bool = False,
) -> list[SpeakerRow]:
    """Return all speakers, named as in ``given`` by hand or in ``known_names``, else by the words, else by number.

    Args:
        room_names: what voices are called instead of by number alone, by number.
        hide_names: name them by number, except those that are named by hand.
    """
    by_hand = match_given_names(conversation, given)
    guesses = {} if hide_names else {guess.speaker: guess for guess in find_speaker_names(conversation)}
    rows = []
    for label in conversation.speakers:
        id_ = speaker_id(meeting_id, label)
        if label in by_hand:
            rows.append(SpeakerRow(label, id_, by_hand[label], "hand"))
            continue
        if hide_names:
            rows.append(SpeakerRow(label, id_, f"Speaker {label}"))
            continue
        if label in known_names:
            rows.append(SpeakerRow(label, id_, known_names[label], "track"))
            continue
        guess = guesses.get(label)
        number_alias = (room_names or {}).get(label, f"Speaker {label}")
        alias, source = (guess.name, "spoken") if guess else (number_alias, "number")
        rows.append(SpeakerRow(label, id_, alias, source, guess.confidence if guess else None))
    return rows


async def recognise_voices(
    connection: Connection,
    organization_id: UUID,
    result: SessionResult,
    vectors: Mapping[int, NDArray[np.float32]],
    rows: list[SpeakerRow],
    *,
    hide_names: bool = False,
) -> tuple[list[SpeakerRow], list[tuple[UUID, UUID]]]:
    """Match speakers with the organization's known voices, and store new voices.

    Args:
        result: a session result, for the embedding model and its threshold.
        vectors: unit-length embeddings by speaker number.
        rows: the speakers as named so far.
        hide_names: leave names of voices out; the voices are linked all the same.

    Returns the speakers with names of known voices, and (speaker id, voice id) links. Without the organization's
    consent, returns ``rows`` and no links.
    """
    if not await voices.recognition_enabled(connection, organization_id):
        return rows, []
    known_voices = {
        voice.id: voice for voice in await voices.lock_voices(connection, organization_id, result.voice_model)
    }
    matches = {
        match.label: match for match in match_voices(vectors, list(known_voices.values()), result.same_voice_similarity)
    }
    named_rows, links = [], []
    for row in rows:
        match, vector = matches.get(row.label), vectors.get(row.label)
        if match:
            voice = update_voice(known_voices[match.voice_id], vectors[row.label])
            if voice.name and row.alias_source not in ("track", "hand") and not hide_names:
                row = SpeakerRow(row.label, row.id, voice.name, "voice", round(match.similarity, 3))
        elif vector is not None:
            voice = VoiceRow(uuid4(), "", vector.astype("<f4").tobytes(), 1)
        else:
            named_rows.append(row)
            continue
        await voices.store(connection, organization_id, result.voice_model, voice)
        links.append((row.id, voice.id))
        named_rows.append(row)
    return named_rows, links
