"""The export of an organization: what is read when, and in which order it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from server.audio import AudioLog
from server.export.archive import README, Archive
from server.export.recordings import AudioFile, open_recording, open_track
from server.live import LiveConfig
from server.storage import AuditFilter, AuditPage, Connection, Database, ExportedMeeting, audit, exports

HASH_BYTES = exports.HASH_BYTES
# Events of one part of the audit log.
EVENTS_OF_PART = 1000


class Documents(Protocol):
    """What the API shows, as REST has it. Every method runs in a transaction that sees one organization."""

    async def organization(self, connection: Connection, organization_id: UUID) -> dict[str, bytes]:
        """Return files of JSON on the organization, by name."""

    async def meeting(
        self, connection: Connection, meeting: ExportedMeeting
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return a meeting's entry in lists, and files of JSON on it, by name."""

    def events(self, events: list[Any]) -> bytes:
        """Return events of the audit log, one a line."""


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
        audio_log: AudioLog,
        documents: Documents,
        organization_id: UUID,
        *,
        include_audio: bool,
    ) -> None:
        self._database = database
        self._audio_log = audio_log
        self._documents = documents
        self._organization_id = organization_id
        self._include_audio = include_audio
        self.started_at = datetime.now(UTC)
        self.progress = Progress()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the archive. Memory is bounded by a meeting's answers; nothing is held once it is closed.

        Raises DatabaseUnavailable, and RecordingChanged if a file is cut while it is read: the archive then lacks
        its manifest.
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
            found = await exports.find_organization(connection, id_)
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
        async with aclosing(self._audit_log(archive)) as chunks:
            async for chunk in chunks:
                yield chunk
        facts = {
            "created_at": self.started_at.isoformat(timespec="seconds"),
            "organization": {"id": str(id_), "name": organization.name},
            "include_audio": self._include_audio,
            "gone": gone,
        }
        for chunk in archive.end(facts):
            yield chunk

    async def _meeting(self, archive: Archive, file_hash: str) -> AsyncGenerator[bytes, None]:
        """Yield the files of a meeting; none if it was deleted."""

        async def read(connection: Connection) -> tuple[ExportedMeeting, dict[str, Any], dict[str, bytes]] | None:
            found = await exports.find_meeting(connection, self._organization_id, file_hash)
            return (found, *await self._documents.meeting(connection, found)) if found else None

        if (read_ := await self._read(read)) is None:
            return
        meeting, listed, files = read_
        folder = f"meetings/{file_hash}"
        opened = await asyncio.to_thread(self._open_audio, meeting) if self._include_audio else {}
        try:
            described = {
                **listed,
                "media_type": meeting.media_type,
                "size_bytes": meeting.size_bytes,
                "n_speakers": meeting.n_speakers,
                "stated_language": meeting.language,
                "key_terms": list(meeting.key_terms),
                "channels": meeting.channels,
                "user_id": str(meeting.user_id or ""),
                "live_config": meeting.live_config,
                "audio": list(opened),
            }
            archive.counts["meetings"] += 1
            yield archive.document(f"{folder}/meeting.json", described)
            for name, data in files.items():
                yield archive.file(f"{folder}/{name}", data)
            if meeting.corrections:
                yield archive.document(f"{folder}/corrections.json", meeting.corrections)
            for name, audio in opened.items():
                archive.counts["audio_files"] += 1
                async with (
                    aclosing(audio.chunks()) as content,
                    aclosing(archive.stream(f"{folder}/{name}", audio.size, content)) as chunks,
                ):
                    async for chunk in chunks:
                        yield chunk
        finally:
            for audio in opened.values():
                audio.file.close()

    def _open_audio(self, meeting: ExportedMeeting) -> dict[str, AudioFile]:
        """Open the audio of a meeting, by name: what is deleted from now on is still read."""
        where = (self._organization_id, meeting.listed.file_hash)
        if meeting.live_config is None:
            recording = open_recording(self._audio_log.original(*where), meeting.media_type)
            return {f"recording{recording.suffix}": recording} if recording else {}
        opened: dict[str, AudioFile] = {}
        try:
            for number, source in enumerate(LiveConfig.from_document(meeting.live_config).sources):
                path: Path = self._audio_log.live_track(*where, number)
                if track := open_track(path, source.format):
                    opened[f"track-{number}{track.suffix}"] = track
        except BaseException:
            for track in opened.values():
                track.file.close()
            raise
        return opened

    async def _audit_log(self, archive: Archive) -> AsyncGenerator[bytes, None]:
        before: tuple[datetime, UUID] | None = None
        until = AuditFilter(until=self.started_at)
        part, more = 0, True
        while more:
            page: AuditPage = await self._read(
                lambda c, before=before: audit.list_page(c, self._organization_id, until, EVENTS_OF_PART, before)
            )
            if page.events:
                part += 1
                archive.counts["audit_events"] += len(page.events)
                yield archive.file(f"audit/{part:06}.jsonl", self._documents.events(page.events))
            before, more = page.ends_at, page.ends_at is not None

    async def _read(self, work: Any) -> Any:
        return await self._database.run(work, organization_id=self._organization_id, snapshot=True)
