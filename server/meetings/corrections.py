"""Manual speaker corrections: renames, merges, splits and undo.

The engine's result is kept unchanged; answers are recomputed from it with the corrections applied,
and the ones that differ are stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from server.auth import Caller
from server.conversation import (
    Conversation,
    Edit,
    Merge,
    Split,
    apply_edits,
    edit_from_document,
    edit_to_document,
    parse_redaction_kinds,
)
from server.errors import BadRequest, MeetingNotFound, MeetraError, SpeakerNotFound, TranscriptDeleted
from server.insights import SUMMARIES, Answer, compute_answers
from server.redaction import RedactionRules, redact_text
from server.search import index_meeting
from server.storage import (
    Connection,
    Database,
    FoundSpeaker,
    LiveSpeaker,
    SpeakerRow,
    insights,
    live_names,
    meetings,
    retention,
    speakers,
)

PATIENCE_S = 30.0
AdoptNames = Callable[[UUID], None]
"""Given a meeting."""


class Corrections:
    """Apply manual corrections to finished meetings."""

    def __init__(self, database: Database, adopt_names: AdoptNames | None = None) -> None:
        """``adopt_names``: shows stored names in a running meeting, if this process holds it; None: it holds none."""
        self._database = database
        self._adopt_names = adopt_names

    async def rename(self, caller: Caller, id_: UUID, alias: str, file_hash: str | None) -> str:
        """Rename a speaker, of a running live meeting too, and return the name as it is stored.

        In a redacted meeting addresses and numbers in it are replaced. A name stays: whoever types it wants it there.

        Args:
            id_: the speaker.
            file_hash: if given, the speaker must belong to this meeting.

        Raises SpeakerNotFound.
        """

        async def work(connection: Connection) -> tuple[str, LiveSpeaker | None]:
            running = await live_names.find(connection, caller.organization_id, id_, file_hash)
            if running is not None:
                stored = redact_text(alias, RedactionRules.create(parse_redaction_kinds(running.redact)))
                if await live_names.give(connection, running, stored):
                    return stored, running
            speaker = await _find(connection, caller, id_)
            if file_hash is not None and speaker.file_hash != file_hash:
                raise SpeakerNotFound
            stored = redact_text(alias, RedactionRules.create(parse_redaction_kinds(speaker.redact)))
            if not await speakers.rename(connection, id_, stored):
                raise SpeakerNotFound
            return stored, None

        stored, running = await self._database.run(work, organization_id=caller.organization_id)
        if running is not None and self._adopt_names is not None:
            self._adopt_names(running.meeting_id)
        return stored

    async def merge(self, caller: Caller, id_: UUID, into: UUID) -> tuple[SpeakerRow, ...]:
        """Merge speaker ``id_`` into ``into`` and return the meeting's speakers.

        Raises SpeakerNotFound, TranscriptDeleted or BadRequest.
        """

        async def work(connection: Connection) -> tuple[SpeakerRow, ...]:
            speaker, other = await _find(connection, caller, id_), await _find(connection, caller, into)
            if id_ == into:
                raise BadRequest("into", "the same speaker; choose another speaker of the meeting")
            if speaker.meeting_id != other.meeting_id:
                raise BadRequest("into", "a speaker of another meeting; choose a speaker of the same meeting")
            return await _apply(connection, caller, speaker.meeting_id, Merge(speaker.label, other.label))

        return await self._database.run(work, organization_id=caller.organization_id, patience_s=PATIENCE_S)

    async def split(self, caller: Caller, id_: UUID, start_ms: int, end_ms: int) -> tuple[tuple[SpeakerRow, ...], UUID]:
        """Move a span of a speaker to a new speaker.

        Args:
            start_ms, end_ms: the span, milliseconds from the start of the meeting.

        Returns the meeting's speakers and the new speaker's id. Raises SpeakerNotFound, TranscriptDeleted or
        BadRequest.
        """

        async def work(connection: Connection) -> tuple[tuple[SpeakerRow, ...], UUID]:
            speaker = await _find(connection, caller, id_)
            # Locked first: a split at the same time must not take the same label.
            await speakers.lock_conversation(connection, speaker.meeting_id)
            new = await speakers.find_highest_label(connection, speaker.meeting_id) + 1
            edit = Split(speaker.label, new, start_ms * 1000, end_ms * 1000)
            listed = await _apply(connection, caller, speaker.meeting_id, edit)
            return listed, speakers.speaker_id(speaker.meeting_id, new)

        return await self._database.run(work, organization_id=caller.organization_id, patience_s=PATIENCE_S)

    async def undo(self, caller: Caller, file_hash: str) -> tuple[SpeakerRow, ...]:
        """Undo the latest merge or split and return the meeting's speakers.

        Raises MeetingNotFound, TranscriptDeleted or BadRequest.
        """

        async def work(connection: Connection) -> tuple[SpeakerRow, ...]:
            meeting_id = await meetings.find_ready_id(connection, caller.organization_id, file_hash)
            if meeting_id is None:
                raise MeetingNotFound
            document = await _lock_conversation(connection, caller, meeting_id, MeetingNotFound())
            if not await speakers.undo_edit(connection, meeting_id):
                raise BadRequest("file-hash", "this meeting has no merge or split to undo")
            return await _store(connection, caller, meeting_id, Conversation.from_document(document))

        return await self._database.run(work, organization_id=caller.organization_id, patience_s=PATIENCE_S)


async def _find(connection: Connection, caller: Caller, id_: UUID) -> FoundSpeaker:
    speaker = await speakers.find(connection, caller.organization_id, id_)
    if speaker is None:
        raise SpeakerNotFound
    return speaker


async def _lock_conversation(
    connection: Connection, caller: Caller, meeting_id: UUID, missing: MeetraError
) -> dict[str, Any]:
    """Lock a meeting against other corrections, and return its conversation document.

    Raises TranscriptDeleted, or ``missing`` if the meeting was deleted.
    """
    document = await speakers.lock_conversation(connection, meeting_id)
    if document is not None:
        return document
    _, transcript_deleted_at = await retention.find_deleted(connection, caller.organization_id, meeting_id)
    raise missing if transcript_deleted_at is None else TranscriptDeleted(transcript_deleted_at)


async def _apply(connection: Connection, caller: Caller, meeting_id: UUID, edit: Edit) -> tuple[SpeakerRow, ...]:
    document = await _lock_conversation(connection, caller, meeting_id, SpeakerNotFound())
    conversation = Conversation.from_document(document)
    before = apply_edits(
        conversation, [edit_from_document(d) for d in await speakers.list_edits(connection, meeting_id)]
    )
    after = apply_edits(before, [edit])
    if isinstance(edit, Split) and not {edit.speaker, edit.new_speaker} <= set(after.speakers):
        raise BadRequest("start", "the span must contain some, but not all, of the speaker's segments")
    if edit.speaker not in before.speakers:
        raise SpeakerNotFound
    await speakers.add_edit(connection, meeting_id, caller.user_id, edit_to_document(edit))
    return await _store(connection, caller, meeting_id, conversation)


async def _store(
    connection: Connection, caller: Caller, meeting_id: UUID, conversation: Conversation
) -> tuple[SpeakerRow, ...]:
    """Recompute the answers with the corrections in force and store those that changed."""
    active_edits = [edit_from_document(document) for document in await speakers.list_edits(connection, meeting_id)]
    stored = await insights.load(connection, meeting_id, SUMMARIES.name)
    summaries = None if stored is None else SUMMARIES.typed(stored)

    def compute() -> tuple[Conversation, dict[str, Answer]]:
        corrected = apply_edits(conversation, active_edits)
        return corrected, compute_answers(corrected, summaries=summaries)

    corrected, recomputed = await asyncio.to_thread(compute)
    await speakers.activate(connection, meeting_id, corrected.speakers)
    await insights.store(connection, meeting_id, recomputed)
    await index_meeting(connection, caller.organization_id, meeting_id, corrected, recomputed)
    return await speakers.list_active(connection, meeting_id)
