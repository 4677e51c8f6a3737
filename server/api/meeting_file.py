"""A finished meeting as a file of one format."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from server.api.answers import Answers
from server.api.export_documents import RestDocuments
from server.api.validation import validate_file_hash
from server.documents import (
    FORMATS,
    DocumentedMeeting,
    corrected_sentences,
    distinct_names,
    timed_speech,
    timed_statements,
    timed_words,
)
from server.errors import BadRequest, MeetingNotFound
from server.fair_slots import FairSlots
from server.insights import BALANCE, QUALITY, TIMELINE, TRANSCRIPT, WORDS
from server.storage import Connection, Database, ExportedMeeting, HeldTransaction, exports

JSON = "json"
SCHEMA = {"name": "meetra.meeting", "version": 1}
# A long meeting takes seconds of a core: two at once, of one organization one.
RENDERED_AT_ONCE = 2
MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class MeetingFile:
    """A file of a meeting."""

    data: bytes
    media_type: str
    disposition: str
    """The ``content-disposition`` (RFC 6266), ASCII."""


class MeetingFiles:
    """Make files of finished meetings."""

    def __init__(self, database: Database, documents: RestDocuments) -> None:
        self._database, self._documents = database, documents
        self._places: FairSlots[UUID] = FairSlots(RENDERED_AT_ONCE)

    async def make(self, organization_id: UUID, file_hash: str, form: str) -> MeetingFile:
        """Return a meeting of the organization in a format.

        Raises BadRequest, MeetingNotFound, MeetingStillProcessing, MeetingFailed, TranscriptDeleted, DocumentNotMade.
        """
        wanted = validate_file_hash(file_hash)
        if form != JSON and form not in FORMATS:
            raise BadRequest("format", f"must be one of {', '.join(sorted((*FORMATS, JSON)))}")
        async with self._places.place(organization_id):
            if form == JSON:
                name, data = await self._database.run(
                    lambda c: self._everything(c, organization_id, wanted), organization_id=organization_id
                )
                return MeetingFile(data, "application/json", _disposition(name, wanted, form))
            meeting = await self.documented(organization_id, wanted)
            data = await FORMATS[form].render(meeting)
        return MeetingFile(data, FORMATS[form].media_type, _disposition(meeting.name, wanted, form))

    async def documented(self, organization_id: UUID, file_hash: str) -> DocumentedMeeting:
        """Return a meeting of the organization as documents show it.

        Raises MeetingNotFound, MeetingStillProcessing, MeetingFailed, TranscriptDeleted.
        """
        return await self._database.run(
            lambda c: _documented(c, organization_id, file_hash), organization_id=organization_id
        )

    async def _everything(self, connection: Connection, organization_id: UUID, file_hash: str) -> tuple[str, bytes]:
        # Its errors are those of an unfinished meeting. It holds no words, which retention may have deleted.
        await Answers(HeldTransaction(connection), organization_id).get(file_hash, BALANCE)
        exported = await _find(connection, organization_id, file_hash)
        documents = await self._documents.meeting(connection, organization_id, exported)

        def render() -> bytes:
            answers = {path.removesuffix(".json"): json.loads(data) for path, data in documents.files.items()}
            everything = {
                "schema": SCHEMA,
                "meeting": documents.described,
                "status": answers.pop("status"),
                "answers": {path.removeprefix("answers/"): answer for path, answer in answers.items()},
                "left_out": documents.left_out,
            }
            return json.dumps(everything, ensure_ascii=False, indent=1).encode() + b"\n"

        return exported.listed.name, await asyncio.to_thread(render)


async def _find(connection: Connection, organization_id: UUID, file_hash: str) -> ExportedMeeting:
    found = await exports.find_meeting(connection, organization_id, file_hash)
    if found is None:
        raise MeetingNotFound
    return found


async def _documented(connection: Connection, organization_id: UUID, file_hash: str) -> DocumentedMeeting:
    answers = Answers(HeldTransaction(connection), organization_id)
    transcript = await answers.get(file_hash, TRANSCRIPT)
    said = (await answers.get(file_hash, WORDS)).value
    words, corrections = timed_words(said["words"]), corrected_sentences(said.get("sentences", ()))
    timeline = await answers.get(file_hash, TIMELINE)
    quality = await answers.get(file_hash, QUALITY)
    listed = (await _find(connection, organization_id, file_hash)).listed
    return DocumentedMeeting(
        file_hash=file_hash,
        name=" ".join(listed.name.split()),
        held_on=listed.held_on or "",
        duration_ms=listed.duration_ms or 0,
        language=transcript.value.get("language", ""),
        notice=transcript.notice,
        reliable=transcript.value["reliable"],
        names=distinct_names((speaker.label, speaker.alias) for speaker in transcript.speakers),
        statements=timed_statements(transcript.value, words, corrections),
        corrections=corrections,
        words=words,
        speech=timed_speech(timeline.value),
        quality=quality.value,
    )


def _disposition(name: str, file_hash: str, form: str) -> str:
    """Return the header that names the file after the meeting; clients without RFC 8187 name it after its hash."""
    kept = "".join(sign if sign.isalnum() or sign in " -_.,()" else "_" for sign in name[:MAX_NAME_CHARACTERS])
    shown = quote(f"{kept.strip(' .') or 'meeting'}.{form}", safe="")
    return f"attachment; filename=\"meeting-{file_hash[:12]}.{form}\"; filename*=UTF-8''{shown}"
