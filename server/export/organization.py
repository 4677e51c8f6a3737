"""The export of an organization: what is read when, and in which order it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from server.conversation import RedactionKind, parse_redaction_kinds
from server.export.archive import README, Archive
from server.export.meeting_audio import MeetingAudio, OpenedAudio
from server.moments import utc_text
from server.redaction import RedactionRules, redact_text
from server.storage import (
    AuditFilter,
    AuditPage,
    Connection,
    Database,
    DeletionRow,
    ExportedMeeting,
    audit,
    deletions,
    exports,
    organizations,
)

HASH_BYTES = exports.HASH_BYTES
# Lines of one file: events of the audit log, receipts.
LINES_OF_PART = 1000
# How long nothing is sent while audio is decoded; the gateway cuts after 300 s.
QUIET_S = 30.0


class Documents(Protocol):
    """What the API shows, as REST has it. Every method runs in a transaction that sees one organization."""

    async def organization(self, connection: Connection, organization_id: UUID) -> dict[str, bytes]:
        """Return files of JSON on the organization, by name."""

    async def meeting(
        self, connection: Connection, organization_id: UUID, meeting: ExportedMeeting
    ) -> MeetingDocuments:
        """Return what is shown of a meeting."""

    def events(self, events: list[Any]) -> bytes:
        """Return events of the audit log, one a line."""

    def receipts(self, receipts: list[DeletionRow]) -> bytes:
        """Return receipts of deletions, one a line."""


@dataclass(frozen=True, slots=True)
class MeetingDocuments:
    """What the API shows of a meeting, as REST has it."""

    described: dict[str, Any]
    """Its entry in lists, and what belongs beside it."""
    files: dict[str, bytes]
    """Files of JSON, by name."""
    left_out: dict[str, str]
    """Reasons, by name of a file that was deleted."""


@dataclass(slots=True)
class Progress:
    """How far an export is."""

    meetings: int = 0
    """To be exported in all."""
    done: int = 0


class OrganizationExport:
    """An archive of everything of one organization."""

    def __init__(
        self,
        database: Database,
        audio: MeetingAudio,
        documents: Documents,
        organization_id: UUID,
        *,
        include_audio: bool,
    ) -> None:
        self._database = database
        self._audio = audio
        self._documents = documents
        self._organization_id = organization_id
        self._include_audio = include_audio
        self.started_at = datetime.now(UTC)
        self.progress = Progress()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the archive. Memory is bounded by a meeting's answers; nothing is held once it is closed.

        Raises DatabaseUnavailable, StoreUnavailable, and RecordingChanged if a file is cut while it is read: the
        archive then lacks its manifest.
        """
        archive = Archive(round(self.started_at.timestamp()))
        try:
            async with aclosing(self._chunks(archive)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            archive.close()

    async def _chunks(self, archive: Archive) -> AsyncGenerator[bytes, None]:
        id_ = self._organization_id

        async def of_organization(connection: Connection) -> tuple[Any, bytes, dict[str, bytes]]:
            found = await organizations.find(connection, id_)
            return (
                found,
                await exports.list_hashes(connection, id_),
                await self._documents.organization(connection, id_),
            )

        organization, hashes, files = await self._read(of_organization)
        self.progress.meetings = len(hashes) // HASH_BYTES
        yield archive.file("README.txt", README.encode())
        for name, data in files.items():
            yield archive.file(name, data)
        gone: list[str] = []
        for start in range(0, len(hashes), HASH_BYTES):
            file_hash = hashes[start : start + HASH_BYTES].hex()
            found = False
            async with aclosing(self._meeting(archive, file_hash)) as chunks:
                async for chunk in chunks:
                    found = True
                    yield chunk
            if not found:
                gone.append(file_hash)
            self.progress.done += 1
        for parts in (self._receipts(archive), self._audit_log(archive)):
            async with aclosing(parts) as chunks:
                async for chunk in chunks:
                    yield chunk
        facts = {
            "created_at": utc_text(self.started_at),
            "organization": {"id": str(id_), "name": organization.name},
            "include_audio": self._include_audio,
            "gone": gone,
        }
        for chunk in archive.end(facts):
            yield chunk

    async def _meeting(self, archive: Archive, file_hash: str) -> AsyncGenerator[bytes, None]:
        """Yield the files of a meeting; none if it was deleted."""

        async def read(connection: Connection) -> tuple[ExportedMeeting, MeetingDocuments] | None:
            found = await exports.find_meeting(connection, self._organization_id, file_hash)
            if found is None:
                return None
            return found, await self._documents.meeting(connection, self._organization_id, found)

        if (read_ := await self._read(read)) is None:
            return
        meeting, documents = read_
        folder = f"meetings/{file_hash}"
        opening = asyncio.create_task(self._open_audio(meeting), name="audio of an export")
        try:
            while not (await asyncio.wait({opening}, timeout=QUIET_S))[0]:
                yield archive.pause()
            opened = opening.result()
            left_out = {**opened.left_out, **documents.left_out}
            described = {
                **documents.described,
                "media_type": meeting.media_type,
                "size_bytes": meeting.size_bytes,
                "n_speakers": meeting.n_speakers,
                "stated_language": meeting.language,
                "key_terms": [] if meeting.redact else list(meeting.key_terms),
                "channels": meeting.channels,
                "user_id": str(meeting.user_id or ""),
                "live_config": _shown_config(meeting),
                "redact": meeting.redact,
                "audio": list(opened.files),
                "left_out": [{"what": what, "reason": reason} for what, reason in left_out.items()],
            }
            archive.counts["meetings"] += 1
            for what, reason in left_out.items():
                archive.leave_out(file_hash, what, reason)
            yield archive.document(f"{folder}/meeting.json", described)
            for name, data in documents.files.items():
                yield archive.file(f"{folder}/{name}", data)
            if meeting.corrections:
                yield archive.document(f"{folder}/corrections.json", meeting.corrections)
            for name, audio in opened.files.items():
                archive.counts["audio_files"] += 1
                async with (
                    aclosing(audio.chunks()) as content,
                    aclosing(archive.stream(f"{folder}/{name}", audio.size, content)) as chunks,
                ):
                    async for chunk in chunks:
                        yield chunk
        finally:
            opening.cancel()
            await asyncio.wait({opening})
            if not opening.cancelled() and opening.exception() is None:
                opening.result().close()

    async def _open_audio(self, meeting: ExportedMeeting) -> OpenedAudio:
        return await self._audio.open(self._organization_id, meeting) if self._include_audio else OpenedAudio()

    async def _receipts(self, archive: Archive) -> AsyncGenerator[bytes, None]:
        before: tuple[datetime, UUID] | None = None
        part = 0
        while receipts := await self._read(
            lambda c, before=before: deletions.list_page(c, self._organization_id, LINES_OF_PART, before)
        ):
            part += 1
            archive.counts["deletions"] += len(receipts)
            yield archive.file(f"deletions/{part:06}.jsonl", self._documents.receipts(receipts))
            before = (receipts[-1].created_at, receipts[-1].id)

    async def _audit_log(self, archive: Archive) -> AsyncGenerator[bytes, None]:
        before: tuple[datetime, UUID] | None = None
        until = AuditFilter(until=self.started_at)
        part, more = 0, True
        while more:
            page: AuditPage = await self._read(
                lambda c, before=before: audit.list_page(c, self._organization_id, until, LINES_OF_PART, before)
            )
            if page.events:
                part += 1
                archive.counts["audit_events"] += len(page.events)
                yield archive.file(f"audit/{part:06}.jsonl", self._documents.events(page.events))
            before, more = page.ends_at, page.ends_at is not None

    async def _read(self, work: Any) -> Any:
        return await self._database.run(work, organization_id=self._organization_id, snapshot=True)


def _shown_config(meeting: ExportedMeeting) -> dict[str, Any] | None:
    """Return the config of a live meeting without what is redacted: until it is ready, recognition needs that."""
    config, kinds = meeting.live_config, parse_redaction_kinds(meeting.redact)
    if config is None or not kinds:
        return config
    rules = RedactionRules.create(kinds)
    tracks = [
        {
            **track,
            "participant_name": ""
            if RedactionKind.NAME in kinds
            else redact_text(track.get("participant_name", ""), rules),
            "earlier_names": [],
        }
        for track in config.get("tracks", ())
    ]
    return {**config, "name": meeting.listed.name, "key_terms": [], "tracks": tracks, "rules": []}
