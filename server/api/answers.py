"""Access to stored answers, scoped to the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeAlias
from uuid import UUID

from server.api.validation import validate_file_hash
from server.auth import current_caller
from server.errors import MeetingFailed, MeetingNotFound, MeetingStillProcessing, TranscriptDeleted
from server.insights import Document, Document_co, Family
from server.lifecycle import MeetingStatus
from server.storage import Database, MeetingAnswer, SpeakerRow, meetings


@dataclass(frozen=True)
class ReadyAnswer(Generic[Document_co]):
    """A stored answer of a finished meeting."""

    value: Document_co
    engine: dict[str, Any]
    speakers: tuple[SpeakerRow, ...]
    duration_ms: int = 0
    definition_version: str = ""
    notice: str = ""
    """What a reader must know first; empty if nothing."""

    def speaker_id(self, label: int) -> str:
        """Return the UUID of the speaker with this number; empty for the unknown speaker."""
        return self._ids.get(label, "")

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {speaker.label: str(speaker.id) for speaker in self.speakers}


AnyAnswer: TypeAlias = ReadyAnswer[Mapping[str, object]]
"""An answer of any family."""


class Answers:
    """Read stored answers of finished meetings."""

    def __init__(self, database: Database, organization_id: UUID | None = None) -> None:
        """
        Args:
            organization_id: whose answers ``get`` returns; None: the caller's organization's.
        """
        self._database = database
        self._organization_id = organization_id

    async def get(self, file_hash: str, family: Family[Document]) -> ReadyAnswer[Document]:
        """Return an answer of the organization.

        Raises BadRequest, MeetingNotFound, MeetingStillProcessing, MeetingFailed, TranscriptDeleted.
        """
        organization_id = self._organization_id or current_caller().organization_id
        wanted = validate_file_hash(file_hash)
        found = await self._database.run(
            lambda c: meetings.find_answer(c, organization_id, wanted, family.name), organization_id=organization_id
        )
        return _require_ready(found, family)

    async def latest(self, family: Family[Document]) -> ReadyAnswer[Document]:
        """As ``get``, for the caller's most recently uploaded meeting."""
        caller = current_caller()
        found = await self._database.run(
            lambda c: meetings.find_latest_answer(c, caller.user_id, family.name),
            organization_id=caller.organization_id,
        )
        return _require_ready(found, family)


def _require_ready(found: MeetingAnswer | None, family: Family[Document]) -> ReadyAnswer[Document]:
    if found is None:
        raise MeetingNotFound
    if found.state.status == MeetingStatus.FAILED:
        raise MeetingFailed(found.state.message)
    if found.state.status == MeetingStatus.READY and found.transcript_deleted_at is not None and family.quotes:
        raise TranscriptDeleted(found.transcript_deleted_at)
    if found.state.status != MeetingStatus.READY or found.value is None:
        raise MeetingStillProcessing(found.state.progress_percent)
    return ReadyAnswer(
        family.typed(found.value),
        found.engine or {},
        found.speakers,
        found.duration_ms or 0,
        found.definition_version,
        found.state.notice,
    )
