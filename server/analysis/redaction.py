"""Redaction of a meeting, at the one place that everything stored of it passes: before its words become sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from server.analysis.audio_quota import DATABASE_PATIENCE_S
from server.analysis.copied_voice import MAX_DELAY
from server.analysis.recording import Recording, SessionResult
from server.analysis.voices import match_voices
from server.conversation import Conversation, RedactionKind, Segment, segment_track_index, split_sentences
from server.insights import mentioned_names
from server.media import RATE_HZ
from server.redaction import RedactedSpan, RedactionRules, padded_ranges_ms, redact_segments, redact_text
from server.storage import Connection, Database, Job, StoredRedaction, voices

# Silenced before and after the words, whose times recognisers estimate: the second where they are not measured at all.
MARGIN_MS, UNTIMED_MARGIN_MS = 250, 1500
# And where tracks carry each other's voices, as much earlier or later as those may come.
COPY_MARGIN_MS = MAX_DELAY * 1000 // RATE_HZ


@dataclass(frozen=True, slots=True)
class RedactedConversation:
    """A conversation with placeholders, and what is stored of its redaction."""

    conversation: Conversation
    stored: StoredRedaction


def redact_conversation(
    conversation: Conversation,
    track_count: int,
    kinds: frozenset[RedactionKind],
    names: Collection[str],
    title: str,
    *,
    heard: Conversation | None = None,
) -> RedactedConversation:
    """Redact a conversation that has no sentences yet.

    Args:
        track_count: number of the meeting's tracks, which are redacted apart.
        names: names of the meeting's people.
        title: name of the meeting.
        heard: the conversation with what was left out of it as copies of other tracks, which the audio still has;
            None if nothing was.
    """
    rules = RedactionRules.create(kinds, names)
    redacted, spans = _redact_tracks(conversation, track_count, rules)
    margin_ms = MARGIN_MS if conversation.engine.word_times else UNTIMED_MARGIN_MS
    if heard is not None:
        spans += _redact_tracks(heard, track_count, rules)[1]
        margin_ms += COPY_MARGIN_MS
    stored = StoredRedaction(
        padded_ranges_ms(spans, conversation.duration_us, margin_ms),
        redact_text(title, rules),
        RedactionKind.NAME in kinds,
    )
    in_order = tuple(redacted[segment.segment_id] for segment in conversation.segments)
    return RedactedConversation(replace(conversation, segments=in_order), stored)


def _redact_tracks(
    conversation: Conversation, track_count: int, rules: RedactionRules
) -> tuple[dict[int, Segment], list[RedactedSpan]]:
    """Return the redacted segments by id, and what was redacted in all tracks."""
    by_track: defaultdict[int, list[Segment]] = defaultdict(list)
    for segment in conversation.segments:
        by_track[segment_track_index(segment.segment_id, track_count)].append(segment)
    redacted: dict[int, Segment] = {}
    spans: list[RedactedSpan] = []
    for segments in by_track.values():
        of_track = redact_segments(segments, rules)
        redacted.update((segment.segment_id, segment) for segment in of_track.segments)
        spans += of_track.spans
    return redacted, spans


async def known_voice_names(
    database: Database, job: Job, result: SessionResult, vectors: Mapping[int, NDArray[np.float32]]
) -> set[str]:
    """Return the names of the organization's known voices that are heard in a meeting."""

    async def find(connection: Connection) -> set[str]:
        known = await voices.lock_voices(connection, job.organization_id, result.voice_model)
        names = {voice.id: voice.name for voice in known}
        matches = match_voices(vectors, known, result.same_voice_similarity)
        return {names[match.voice_id] for match in matches} - {""}

    return await database.run(find, organization_id=job.organization_id, patience_s=DATABASE_PATIENCE_S)


def meeting_names(recording: Recording, conversation: Conversation, voice_names: Collection[str]) -> set[str]:
    """Return all names of a meeting's people: of tracks, of voices, and those by which people call each other."""
    spoken = replace(conversation, sentences=split_sentences(conversation))
    return {*recording.names.values(), *recording.former_names, *voice_names, *mentioned_names(spoken)}
