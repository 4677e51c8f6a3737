"""Meetings' sound for players: made once from whatever was recorded, kept with the recording, gone with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from server import sandbox
from server.audio import (
    PLAYBACK,
    UPLOADED,
    AudioLog,
    DecoderDied,
    FileNotSent,
    KeptFile,
    KeptFiles,
    UnusableRecording,
    decode,
    live_track_name,
)
from server.disk import FULL_CODE, DiskFull, DiskReserve
from server.errors import AudioDeleted, AudioUnavailable, MeetingNotFound
from server.export.meeting_audio import NO_WORDS, NOT_DECODED, NOT_THERE, SPARE_S
from server.export.sparse_pcm import end_pcm, write_pcm
from server.fair_slots import FairSlots
from server.live import LiveConfig, decode_log
from server.media import RATE_HZ
from server.storage import Connection, Database, ExportedMeeting, meetings

MEDIA_TYPE = "audio/webm"
# Changes whenever another file is made of the same recording.
VERSION = 1
# Without a sign of life from the encoder, seconds: it says nothing until it is done.
ENCODING_TIMEOUT_S = 3600.0
CHILD = "server.children.encode_playback"
PARTS, SOUND, PEAKS = "parts.json", "playback.webm", "peaks.u8"
# Of a file of facts, which has some 50.
MAX_FACTS_BYTES = 4096
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Playable:
    """Files of a meeting's sound."""

    sound: KeptFile
    peaks: KeptFile
    duration_ms: int
    period_ms: int
    """Of a peak."""


class Playback:
    """Makes and finds the playable sound of meetings."""

    def __init__(self, audio_log: AudioLog, database: Database, places: FairSlots[UUID], disk: DiskReserve) -> None:
        """
        Args:
            places: for what makes it, by organization.
            disk: the disk of the audio log.
        """
        self._audio_log, self._database = audio_log, database
        self._places, self._disk = places, disk
        self._making: dict[tuple[UUID, str, str], asyncio.Task[Playable]] = {}

    async def find(self, organization_id: UUID, meeting: ExportedMeeting, patience_s: float) -> Playable | None:
        """Return the sound of a finished meeting, made if need be; None if that takes longer than ``patience_s``.

        Raises AudioDeleted, AudioUnavailable, MeetingNotFound, DiskFull, StoreUnavailable.
        """
        if meeting.audio_deleted_at is not None:
            raise AudioDeleted(meeting.audio_deleted_at)
        if meeting.redact and not meeting.words_known:
            raise AudioUnavailable(NO_WORDS)
        file_hash, facts = meeting.listed.file_hash, _facts_name(meeting)
        if (found := await _read(self._audio_log.kept, organization_id, file_hash, facts)) is not None:
            return found
        making = organization_id, file_hash, facts
        task = self._making.get(making)
        if task is None:
            # Nobody who waits for it ends it by leaving.
            task = asyncio.create_task(self._make(organization_id, meeting, facts), name="make sound playable")
            self._making[making] = task
            task.add_done_callback(partial(self._made, making))
        await asyncio.wait({task}, timeout=patience_s)
        return task.result() if task.done() else None

    async def close(self) -> None:
        """End what is being made; it is made anew when somebody asks again."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _made(self, making: tuple[UUID, str, str], task: asyncio.Task[Playable]) -> None:
        self._making.pop(making, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the sound of a meeting could not be made playable: %s", error)

    async def _make(self, organization_id: UUID, meeting: ExportedMeeting, facts: str) -> Playable:
        async with self._places.place(organization_id):
            await asyncio.to_thread(self._audio_log.incoming.mkdir, parents=True, exist_ok=True)
            with TemporaryDirectory(
                dir=self._audio_log.incoming, prefix="playback-", ignore_cleanup_errors=True
            ) as name:
                folder = Path(name)
                parts = await self._decode(organization_id, meeting, folder)
                if not parts:
                    raise AudioUnavailable(NOT_THERE)
                described = {"parts": parts, "silent_ms": meeting.redacted_ranges}
                await asyncio.to_thread((folder / PARTS).write_text, json.dumps(described), encoding="utf-8")
                made = await _encode(folder)
                return await self._keep(organization_id, meeting, folder, facts, made)

    async def _decode(self, organization_id: UUID, meeting: ExportedMeeting, folder: Path) -> list[dict[str, Any]]:
        """Decode what is heard into a folder; return its parts as the encoder takes them."""
        file_hash = meeting.listed.file_hash
        if meeting.live_config is None:
            most_s = (meeting.listed.duration_ms or 0) / 1000 + SPARE_S
            try:
                async with self._audio_log.kept.local(organization_id, file_hash, UPLOADED) as source:
                    if source is None:
                        return []
                    decoded = await decode(source, folder / "pcm", most_s, _ignore, disk=self._disk)
            except UnusableRecording as error:
                raise AudioUnavailable(str(error)) from None
            except DecoderDied:
                raise AudioUnavailable(NOT_DECODED) from None
            return [{"path": str(track.path), "start_us": 0} for track in decoded.tracks]
        async with self._audio_log.live.opened(organization_id, file_hash) as received:
            return await self._decode_tracks(meeting, received, folder)

    async def _decode_tracks(self, meeting: ExportedMeeting, received: Path, folder: Path) -> list[dict[str, Any]]:
        """As ``_decode``, of the files of a live meeting."""
        parts = []
        config = LiveConfig.from_document(meeting.live_config or {})
        for index, track in enumerate(config.tracks):
            # A duplicate is heard once, and what is redacted in it is not known.
            if track.key in meeting.ignored_tracks:
                continue
            path = received / live_track_name(config.source_index(index))
            if not await asyncio.to_thread(path.is_file):
                continue
            target = folder / f"track-{index}"
            try:
                async with aclosing(decode_log(track, path)) as pcm:
                    await self._write(target, pcm)
            except FileNotFoundError:
                # Deleted at this moment.
                raise AudioUnavailable(NOT_THERE) from None
            parts.append({"path": str(target), "start_us": track.start_us})
        return parts

    async def _write(self, target: Path, pcm: Any) -> None:
        with target.open("wb") as file:
            async for data in pcm:
                await asyncio.to_thread(write_pcm, file, data, self._disk)
            await asyncio.to_thread(end_pcm, file)

    async def _keep(
        self, organization_id: UUID, meeting: ExportedMeeting, folder: Path, facts: str, made: dict[str, int]
    ) -> Playable:
        """Keep the files with the recording, unless it was deleted meanwhile. Raises MeetingNotFound."""
        file_hash, kept = meeting.listed.file_hash, self._audio_log.kept
        files = await asyncio.to_thread(_name_files, folder, facts, made)
        sent = await kept.send(organization_id, file_hash, files)

        async def keep(connection: Connection) -> bool:
            await meetings.lock_recording(connection, organization_id, file_hash)
            if not await meetings.keeps_audio(connection, organization_id, file_hash):
                if sent:
                    await kept.remove(organization_id, file_hash)
                return False
            await _replace(kept, organization_id, file_hash, files)
            return True

        try:
            is_kept = await self._database.run(keep, organization_id=organization_id)
        except FileNotSent:
            # Its meeting was deleted and uploaded again at this moment.
            is_kept = False
        found = await _read(kept, organization_id, file_hash, facts) if is_kept else None
        if found is None:
            raise MeetingNotFound
        return found


def _facts_name(meeting: ExportedMeeting) -> str:
    """Return the name of the file that is there once the sound is: it says all that the sound depends on."""
    depends = json.dumps([VERSION, meeting.redacted_ranges, meeting.ignored_tracks, bool(meeting.redact)])
    return f"{PLAYBACK}{hashlib.sha256(depends.encode()).hexdigest()[:16]}.json"


async def _encode(folder: Path) -> dict[str, int]:
    """Run the encoder in a folder; return what it says. Raises AudioUnavailable, DiskFull."""
    async with sandbox.run(CHILD, str(folder)) as child:
        try:
            async with asyncio.timeout(ENCODING_TIMEOUT_S):
                line = await child.stdout.readline()
            said = json.loads(line)
        except (TimeoutError, ValueError):
            raise AudioUnavailable(NOT_DECODED) from None
        finally:
            await child.end()
    if said.get("error") == FULL_CODE:
        raise DiskFull
    for name in (SOUND, PEAKS):
        sandbox.take_back(folder / name)
    samples, period_ms = int(said["samples"]), int(said["period_ms"])
    return {"duration_ms": samples * 1000 // RATE_HZ, "period_ms": period_ms}


def _name_files(folder: Path, facts: str, made: dict[str, int]) -> dict[str, Path]:
    """Write what is known of what was made in a folder, and return the files by the names they are kept under."""
    (folder / facts).write_text(json.dumps(made), encoding="utf-8")
    # Last: where it is, the others are.
    return {_beside(facts, name): folder / name for name in (PEAKS, SOUND)} | {facts: folder / facts}


async def _replace(kept: KeptFiles, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> None:
    """Keep the files of a meeting's sound in place of all that were made before. Raises FileNotSent and as ``keep``."""
    # The facts go first: a crash in the middle leaves nothing that is taken for whole.
    await kept.remove_others(organization_id, file_hash, PLAYBACK, files)
    await kept.keep(organization_id, file_hash, files)


async def _read(files: KeptFiles, organization_id: UUID, file_hash: str, facts: str) -> Playable | None:
    """Return what a file of facts says that there is; None without it. Raises StoreUnavailable."""
    try:
        async with files.file(organization_id, file_hash, facts).open() as file:
            said = json.loads(await file.read(MAX_FACTS_BYTES))
    except FileNotFoundError:
        return None
    sound, peaks = (files.file(organization_id, file_hash, _beside(facts, name)) for name in (SOUND, PEAKS))
    return Playable(sound, peaks, said["duration_ms"], said["period_ms"])


def _beside(facts: str, name: str) -> str:
    """Return the name under which what was made as ``name`` is kept, by that of its facts."""
    return Path(facts).with_suffix(Path(name).suffix).name


async def _ignore(_: float) -> None:
    return
