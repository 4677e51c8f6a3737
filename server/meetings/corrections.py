"""Manual corrections: names, merges, splits, sentences that were somebody else's, words, and undo.

The engine's result is kept unchanged; answers are recomputed from it with the corrections applied,
and the ones that differ are stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from server.auth import Caller
from server.conversation import Edit, Merge, Move, Split, apply_edits, edit_from_document, parse_redaction_kinds
from server.errors import (
    BadRequest,
    CorrectionNotLatest,
    CorrectionNotNext,
    MeetingNotFound,
    SentenceChanged,
    SentenceNotFound,
    SpeakerNotFound,
)
from server.fair_slots import FairSlots
from server.insights import SentenceDocument, sentence_document
from server.meetings.corrected_meeting import (
    CorrectedMeeting,
    add_edit,
    find_ready_meeting,
    list_speakers,
    lock_meeting,
    require_transcript,
    store_with_edits_in_force,
)
from server.meetings.corrected_text import AnalyseSentence, find_redacted_ms, make_rewording, redact_typed
from server.redaction import RedactionRules, redact_text
from server.storage import (
    Connection,
    Database,
    EditRow,
    FoundSpeaker,
    LiveSpeaker,
    SpeakerRow,
    live_names,
    meetings,
    speakers,
)

PATIENCE_S = 30.0
# Answers of a long meeting take seconds of a core to compute.
COMPUTED_AT_ONCE = 2
AdoptNames = Callable[[UUID], None]
"""Given a meeting."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CorrectedSentence:
    """A sentence as it is now."""

    number: int
    """From 1, in the order of time."""
    document: SentenceDocument
    speakers: tuple[SpeakerRow, ...]
    """Those of the meeting."""


@dataclass(frozen=True, slots=True)
class History:
    """Corrections of a meeting."""

    made: Sequence[tuple[EditRow, Edit]]
    """The latest first."""
    speakers: dict[int, SpeakerRow]
    """All that the meeting ever had, by label."""


class Corrections:
    """Apply manual corrections to finished meetings."""

    def __init__(
        self, database: Database, adopt_names: AdoptNames | None = None, analyse: AnalyseSentence | None = None
    ) -> None:
        """
        Args:
            adopt_names: shows stored names in a running meeting, if this process holds it; None: it holds none.
            analyse: runs the text models; None: they are away.
        """
        self._database = database
        self._adopt_names = adopt_names
        self._analyse = analyse
        self._places: FairSlots[UUID] = FairSlots(COMPUTED_AT_ONCE)

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

        Raises SpeakerNotFound, TranscriptDeleted, TooManyCorrections or BadRequest.
        """

        async def work(connection: Connection) -> tuple[SpeakerRow, ...]:
            speaker, other = await _find(connection, caller, id_), await _find(connection, caller, into)
            if id_ == into:
                raise BadRequest("into", "the same speaker; choose another speaker of the meeting")
            if speaker.meeting_id != other.meeting_id:
                raise BadRequest("into", "a speaker of another meeting; choose a speaker of the same meeting")
            meeting = await lock_meeting(connection, caller, speaker.meeting_id, SpeakerNotFound())
            return await _apply(connection, caller, meeting, Merge(speaker.label, other.label))

        return await self._compute(caller, work)

    async def split(self, caller: Caller, id_: UUID, start_ms: int, end_ms: int) -> tuple[tuple[SpeakerRow, ...], UUID]:
        """Move a span of a speaker to a new speaker.

        Args:
            start_ms, end_ms: the span, milliseconds from the start of the meeting.

        Returns the meeting's speakers and the new speaker's id. Raises SpeakerNotFound, TranscriptDeleted,
        TooManyCorrections or BadRequest.
        """

        async def work(connection: Connection) -> tuple[tuple[SpeakerRow, ...], UUID]:
            speaker = await _find(connection, caller, id_)
            # Locked first: a split at the same time must not take the same label.
            meeting = await lock_meeting(connection, caller, speaker.meeting_id, SpeakerNotFound())
            new = await speakers.find_highest_label(connection, speaker.meeting_id) + 1
            edit = Split(speaker.label, new, start_ms * 1000, end_ms * 1000)
            return await _apply(connection, caller, meeting, edit), speakers.speaker_id(speaker.meeting_id, new)

        return await self._compute(caller, work)

    async def move_sentence(
        self, caller: Caller, file_hash: str, number: int, speaker_id: UUID | None
    ) -> CorrectedSentence:
        """Give a sentence to another speaker.

        Args:
            number: of the sentence, from 1.
            speaker_id: who said it; None: a new speaker.

        Raises MeetingNotFound, TranscriptDeleted, SentenceNotFound, SpeakerNotFound, TooManyCorrections or BadRequest.
        """

        async def work(connection: Connection) -> CorrectedSentence:
            meeting = await _lock(connection, caller, file_hash)
            index = _index_of(meeting, number)
            if speaker_id is None:
                label = await speakers.find_highest_label(connection, meeting.id) + 1
            else:
                speaker = await _find(connection, caller, speaker_id)
                if speaker.meeting_id != meeting.id:
                    raise BadRequest("speaker", "a speaker of another meeting; choose a speaker of the same meeting")
                label = speaker.label
            current = meeting.conversation.sentences[index]
            if current.speaker != label:
                edit = Move(index, label, former_speaker=current.speaker, start_us=current.start_us)
                meeting = await _with(connection, caller, meeting, edit)
            return await _sentence(connection, meeting, index)

        return await self._compute(caller, work)

    async def correct_text(
        self, caller: Caller, file_hash: str, number: int, text: str, replaces: str | None
    ) -> CorrectedSentence:
        """Replace the text of a sentence, or remove it.

        In a redacted meeting it is redacted likewise.

        Args:
            number: of the sentence, from 1.
            text: valid, on one line; empty: the words are removed.
            replaces: what the caller saw it read; None: whatever it reads.

        Raises MeetingNotFound, TranscriptDeleted, SentenceNotFound, SentenceChanged, TooManyCorrections or
        ServiceUnavailable.
        """

        async def read(connection: Connection) -> tuple[CorrectedMeeting, tuple[SpeakerRow, ...], str]:
            meeting = await _lock(connection, caller, file_hash)
            redact = await meetings.find_redaction(connection, caller.organization_id, meeting.id)
            return meeting, await list_speakers(connection, meeting), redact

        meeting, listed, redact = await self._compute(caller, read)
        index = _index_of(meeting, number)
        current = meeting.conversation.sentences[index]
        text = redact_typed(
            text, meeting.conversation, index, parse_redaction_kinds(redact), [row.alias for row in listed]
        )
        if text == current.text:
            return CorrectedSentence(number, sentence_document(meeting.conversation, index), listed)
        # Not in the transaction: the text models have other work, too.
        rewording = await make_rewording(text, meeting.engine, current, index, self._analyse)

        async def write(connection: Connection) -> CorrectedSentence:
            meeting = await _lock(connection, caller, file_hash)
            current = meeting.conversation.sentences[_index_of(meeting, number)]
            if current.text != text:
                if replaces is not None and current.text != replaces:
                    raise SentenceChanged
                edit = replace(rewording, former_text=current.text)
                if redact:
                    silent = find_redacted_ms(rewording)
                    await meetings.add_redacted_ranges(connection, caller.organization_id, file_hash, silent)
                meeting = await _with(connection, caller, meeting, edit)
            return await _sentence(connection, meeting, index)

        return await self._compute(caller, write)

    async def undo(self, caller: Caller, file_hash: str, number: int | None = None) -> tuple[SpeakerRow, ...]:
        """Undo the latest correction, apart from names, and return the meeting's speakers.

        Args:
            number: of the correction that must be the latest; None: any.

        Raises MeetingNotFound, TranscriptDeleted, CorrectionNotLatest or BadRequest.
        """

        async def work(connection: Connection) -> tuple[SpeakerRow, ...]:
            meeting = await _lock(connection, caller, file_hash)
            latest = await speakers.find_latest_edit(connection, meeting.id)
            if number is not None and latest != number:
                raise CorrectionNotLatest(latest)
            if latest is None:
                raise BadRequest("file-hash", "this meeting has no correction to undo")
            await speakers.undo_edit(connection, meeting.id, latest)
            await store_with_edits_in_force(connection, meeting)
            return await list_speakers(connection, meeting)

        return await self._compute(caller, work)

    async def redo(self, caller: Caller, file_hash: str, number: int | None = None) -> tuple[SpeakerRow, ...]:
        """Make once more what was undone last, and return the meeting's speakers.

        Args:
            number: of the correction that it must be; None: any.

        Raises MeetingNotFound, TranscriptDeleted, CorrectionNotNext or BadRequest.
        """

        async def work(connection: Connection) -> tuple[SpeakerRow, ...]:
            meeting = await _lock(connection, caller, file_hash)
            following = await speakers.find_next_redo(connection, meeting.id)
            if number is not None and following != number:
                raise CorrectionNotNext(following)
            if following is None:
                raise BadRequest("file-hash", "this meeting has no correction to redo")
            await speakers.redo_edit(connection, meeting.id, following)
            await store_with_edits_in_force(connection, meeting)
            return await list_speakers(connection, meeting)

        return await self._compute(caller, work)

    async def history(self, caller: Caller, file_hash: str, limit: int, before: int | None) -> History:
        """Return at most ``limit`` corrections, the latest first, undone ones included.

        Args:
            before: the number that all are below; None: any.

        Raises MeetingNotFound or TranscriptDeleted.
        """

        async def work(connection: Connection) -> History:
            meeting_id = await find_ready_meeting(connection, caller, file_hash)
            await require_transcript(connection, caller, meeting_id)
            made = await speakers.list_history(connection, meeting_id, limit, before)
            edits = [(row, edit_from_document(row.document)) for row in made]
            return History(edits, {row.label: row for row in await speakers.list_all(connection, meeting_id)})

        return await self._database.run(work, organization_id=caller.organization_id)

    async def _compute(self, caller: Caller, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work that takes long in one transaction, of so many at once."""
        async with self._places.place(caller.organization_id):
            return await self._database.run(work, organization_id=caller.organization_id, patience_s=PATIENCE_S)


async def _find(connection: Connection, caller: Caller, id_: UUID) -> FoundSpeaker:
    speaker = await speakers.find(connection, caller.organization_id, id_)
    if speaker is None:
        raise SpeakerNotFound
    return speaker


async def _lock(connection: Connection, caller: Caller, file_hash: str) -> CorrectedMeeting:
    meeting_id = await find_ready_meeting(connection, caller, file_hash)
    return await lock_meeting(connection, caller, meeting_id, MeetingNotFound())


def _index_of(meeting: CorrectedMeeting, number: int) -> int:
    if not 1 <= number <= len(meeting.engine.sentences):
        raise SentenceNotFound(number, len(meeting.engine.sentences))
    return number - 1


async def _apply(
    connection: Connection, caller: Caller, meeting: CorrectedMeeting, edit: Merge | Split
) -> tuple[SpeakerRow, ...]:
    if isinstance(edit, Split):
        after = await asyncio.to_thread(apply_edits, meeting.engine, (*meeting.edits, edit))
        if not {edit.speaker, edit.new_speaker} <= set(after.speakers):
            raise BadRequest("start", "the span must contain some, but not all, of the speaker's segments")
    if edit.speaker not in meeting.conversation.speakers:
        raise SpeakerNotFound
    await add_edit(connection, caller, meeting, edit)
    return await list_speakers(connection, meeting)


async def _with(connection: Connection, caller: Caller, meeting: CorrectedMeeting, edit: Edit) -> CorrectedMeeting:
    return replace(meeting, conversation=await add_edit(connection, caller, meeting, edit))


async def _sentence(connection: Connection, meeting: CorrectedMeeting, index: int) -> CorrectedSentence:
    document = sentence_document(meeting.conversation, index)
    return CorrectedSentence(index + 1, document, await list_speakers(connection, meeting))
