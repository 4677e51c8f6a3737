"""A finished meeting during a correction: locked, its conversation with the corrections in force, its answers anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server.auth import Caller
from server.conversation import Conversation, Edit, apply_edits, edit_from_document, edit_to_document
from server.errors import MeetingNotFound, MeetraError, TooManyCorrections, TranscriptDeleted
from server.insights import NOTES, SUMMARIES, compute_answers, written_notes
from server.search import index_meeting
from server.storage import Connection, SpeakerRow, insights, meetings, retention, speakers

# Of one meeting, undone ones included: each correction reads those in force. Two hours have some 2,300 sentences.
MAX_CORRECTIONS = 5000


@dataclass(frozen=True, slots=True)
class CorrectedMeeting:
    """A meeting, locked against other corrections until the transaction ends."""

    id: UUID
    organization_id: UUID
    engine: Conversation
    """As the engine found it."""
    edits: tuple[Edit, ...]
    """Those in force, oldest first."""
    conversation: Conversation
    """With the edits."""


async def find_ready_meeting(connection: Connection, caller: Caller, file_hash: str) -> UUID:
    """Return the id of a finished meeting of the caller's organization. Raises MeetingNotFound."""
    meeting_id = await meetings.find_ready_id(connection, caller.organization_id, file_hash)
    if meeting_id is None:
        raise MeetingNotFound
    return meeting_id


async def require_transcript(connection: Connection, caller: Caller, meeting_id: UUID) -> None:
    """Raise TranscriptDeleted if retention deleted the meeting's transcript."""
    _, transcript_deleted_at = await retention.find_deleted(connection, caller.organization_id, meeting_id)
    if transcript_deleted_at is not None:
        raise TranscriptDeleted(transcript_deleted_at)


async def lock_meeting(
    connection: Connection, caller: Caller, meeting_id: UUID, missing: MeetraError
) -> CorrectedMeeting:
    """Lock a meeting against other corrections.

    Raises TranscriptDeleted, or ``missing`` if the meeting was deleted.
    """
    document = await speakers.lock_conversation(connection, meeting_id)
    if document is None:
        await require_transcript(connection, caller, meeting_id)
        raise missing
    edits = await _edits_in_force(connection, meeting_id)

    def build() -> CorrectedMeeting:
        conversation = Conversation.from_document(document)
        return CorrectedMeeting(
            meeting_id, caller.organization_id, conversation, edits, apply_edits(conversation, edits)
        )

    # A long meeting takes a second.
    return await asyncio.to_thread(build)


async def add_edit(connection: Connection, caller: Caller, meeting: CorrectedMeeting, edit: Edit) -> Conversation:
    """Append an edit, and return the conversation with it; its answers are stored. Raises TooManyCorrections."""
    if await speakers.find_highest_edit(connection, meeting.id) >= MAX_CORRECTIONS:
        raise TooManyCorrections(MAX_CORRECTIONS)
    await speakers.add_edit(connection, meeting.id, caller.user_id, edit_to_document(edit))
    return await _store(connection, meeting, (*meeting.edits, edit))


async def store_with_edits_in_force(connection: Connection, meeting: CorrectedMeeting) -> Conversation:
    """Return the conversation with the edits that are in force by now; its answers are stored."""
    return await _store(connection, meeting, await _edits_in_force(connection, meeting.id))


async def list_speakers(connection: Connection, meeting: CorrectedMeeting) -> tuple[SpeakerRow, ...]:
    """Return the speakers of the meeting."""
    return await speakers.list_active(connection, meeting.id)


async def _edits_in_force(connection: Connection, meeting_id: UUID) -> tuple[Edit, ...]:
    return tuple(edit_from_document(document) for document in await speakers.list_edits(connection, meeting_id))


async def _store(connection: Connection, meeting: CorrectedMeeting, edits: Sequence[Edit]) -> Conversation:
    """Compute the answers with the edits, store those that changed, and index the meeting for search."""
    stored = await insights.load(connection, meeting.id, SUMMARIES.name)
    summaries = None if stored is None else SUMMARIES.typed(stored)
    stored_notes = await insights.load(connection, meeting.id, NOTES.name)
    notes = None if stored_notes is None else written_notes(NOTES.typed(stored_notes))
    conversation = await asyncio.to_thread(apply_edits, meeting.engine, edits)
    answers = await asyncio.to_thread(compute_answers, conversation, summaries, notes)
    await speakers.activate(connection, meeting.id, conversation.speakers)
    await insights.store(connection, meeting.id, answers)
    await index_meeting(connection, meeting.organization_id, meeting.id, conversation, answers)
    return conversation
