"""Access to answers, stored or of a running meeting, scoped to the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypedDict
from uuid import UUID

from server.api.validation import validate_file_hash
from server.auth import current_caller
from server.errors import MeetingFailed, MeetingNotFound, MeetingStillProcessing, TranscriptDeleted
from server.insights import Document, Document_co, Family
from server.lifecycle import MeetingStatus
from server.live import PartialAnswers
from server.storage import Database, MeetingAnswer, SpeakerRow, meetings


class Reach(TypedDict, total=False):
    """The fields of a response that say how far it reaches, where ``live`` was requested."""

    live: bool
    through_ms: int
    words_final_through_ms: int


@dataclass(frozen=True)
class ReadyAnswer(Generic[Document_co]):
    """The answer of a finished meeting, or of a live one so far."""

    value: Document_co
    engine: dict[str, Any]
    speakers: tuple[SpeakerRow, ...]
    duration_ms: int = 0
    definition_version: str = ""
    notice: str = ""
    """What a reader must know first; empty if nothing."""
    reach: Reach = field(default_factory=Reach)
    """How far the answer reaches; empty where nobody asked for one of a running meeting."""

    def speaker_id(self, label: int) -> str:
        """Return the UUID of the speaker with this number; empty for the unknown speaker."""
        return self._ids.get(label, "")

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {speaker.label: str(speaker.id) for speaker in self.speakers}


AnyAnswer: TypeAlias = ReadyAnswer[Mapping[str, object]]
"""An answer of any family."""


class Answers:
    """Read stored answers of finished meetings, and what is known so far of live ones that run."""

    def __init__(
        self, database: Database, organization_id: UUID | None = None, partial_answers: PartialAnswers | None = None
    ) -> None:
        """
        Args:
            organization_id: whose answers ``get`` returns; None: the caller's organization's.
            partial_answers: answers for running meetings; None: those are still processing.
        """
        self._database = database
        self._organization_id = organization_id
        self._partial_answers = partial_answers

    async def get(self, file_hash: str, family: Family[Document], *, live: bool = False) -> ReadyAnswer[Document]:
        """Return an answer of the organization.

        Args:
            live: whether a live meeting that runs answers too.

        Raises BadRequest, MeetingNotFound, MeetingStillProcessing, MeetingFailed, TranscriptDeleted.
        """
        organization_id = self._organization_id or current_caller().organization_id
        wanted = validate_file_hash(file_hash)
        found = await self._database.run(
            lambda c: meetings.find_answer(c, organization_id, wanted, family.name), organization_id=organization_id
        )
        return await self._answer(organization_id, found, family, live)

    async def latest(self, family: Family[Document], *, live: bool = False) -> ReadyAnswer[Document]:
        """As ``get``, for the caller's most recently uploaded meeting."""
        caller = current_caller()
        found = await self._database.run(
            lambda c: meetings.find_latest_answer(c, caller.user_id, family.name),
            organization_id=caller.organization_id,
        )
        return await self._answer(caller.organization_id, found, family, live)

    async def _answer(
        self, organization_id: UUID, found: MeetingAnswer | None, family: Family[Document], live: bool
    ) -> ReadyAnswer[Document]:
        if live and found is not None and found.state.status not in (MeetingStatus.READY, MeetingStatus.FAILED):
            known = await self._so_far(organization_id, found.state.file_hash, family)
            if known is not None:
                return known
        ready = _require_ready(found, family)
        return replace(ready, reach={"live": False}) if live else ready

    async def _so_far(
        self, organization_id: UUID, file_hash: str, family: Family[Document]
    ) -> ReadyAnswer[Document] | None:
        """Return what is known so far; None where the meeting is no live one."""
        if self._partial_answers is None:
            return None
        known = await self._partial_answers.get(organization_id, file_hash, family)
        if known is None:
            return None
        return ReadyAnswer(
            known.value,
            known.engine,
            known.speakers,
            known.through_ms,
            family.version,
            reach={
                "live": True,
                "through_ms": known.through_ms,
                "words_final_through_ms": known.words_final_through_ms,
            },
        )


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
