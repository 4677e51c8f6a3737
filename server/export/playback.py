"""Meetings' sound for players: made once from whatever was recorded, kept beside the recording, gone with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from server import sandbox
from server.audio import AudioLog, DecoderDied, UnusableRecording, decode, sync_directory
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
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Playable:
    """Files of a meeting's sound."""

    sound: Path
    peaks: Path
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
        self._making: dict[Path, asyncio.Task[Playable]] = {}

    async def find(self, organization_id: UUID, meeting: ExportedMeeting, patience_s: float) -> Playable | None:
        """Return the sound of a finished meeting, made if need be; None if that takes longer than ``patience_s``.

        Raises AudioDeleted, AudioUnavailable, MeetingNotFound, DiskFull.
        """
        if meeting.audio_deleted_at is not None:
            raise AudioDeleted(meeting.audio_deleted_at)
        if meeting.redact and not meeting.words_known:
            raise AudioUnavailable(NO_WORDS)
        facts = self._facts_path(organization_id, meeting)
        if (found := await asyncio.to_thread(_read, facts)) is not None:
            return found
        task = self._making.get(facts)
        if task is None:
            # Nobody who waits for it ends it by leaving.
            task = asyncio.create_task(self._make(organization_id, meeting, facts), name="make sound playable")
            self._making[facts] = task
            task.add_done_callback(partial(self._made, facts))
        await asyncio.wait({task}, timeout=patience_s)
        return task.result() if task.done() else None

    async def close(self) -> None:
        """End what is being made; it is made anew when somebody asks again."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _made(self, facts: Path, task: asyncio.Task[Playable]) -> None:
        self._making.pop(facts, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the sound of a meeting could not be made playable: %s", error)

    def _facts_path(self, organization_id: UUID, meeting: ExportedMeeting) -> Path:
        """Return the file that is there once the sound is: its name says all that it depends on."""
        depends = json.dumps([VERSION, meeting.redacted_ranges, meeting.ignored_tracks, bool(meeting.redact)])
        digest = hashlib.sha256(depends.encode()).hexdigest()[:16]
        folder = self._audio_log.original(organization_id, meeting.listed.file_hash).parent
        return folder / f"playback-{digest}.json"

    async def _make(self, organization_id: UUID, meeting: ExportedMeeting, facts: Path) -> Playable:
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
            source = self._audio_log.original(organization_id, file_hash)
            if not await asyncio.to_thread(source.is_file):
                return []
            most_s = (meeting.listed.duration_ms or 0) / 1000 + SPARE_S
            try:
                decoded = await decode(source, folder / "pcm", most_s, _ignore, disk=self._disk)
            except UnusableRecording as error:
                raise AudioUnavailable(str(error)) from None
            except DecoderDied:
                raise AudioUnavailable(NOT_DECODED) from None
            return [{"path": str(track.path), "start_us": 0} for track in decoded.tracks]
        parts = []
        config = LiveConfig.from_document(meeting.live_config)
        for index, track in enumerate(config.tracks):
            # A duplicate is heard once, and what is redacted in it is not known.
            if track.key in meeting.ignored_tracks:
                continue
            path = self._audio_log.live_track(organization_id, file_hash, config.source_index(index))
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
        self, organization_id: UUID, meeting: ExportedMeeting, folder: Path, facts: Path, made: dict[str, int]
    ) -> Playable:
        """Move the files beside the recording, unless it was deleted meanwhile. Raises MeetingNotFound."""
        file_hash = meeting.listed.file_hash

        async def keep(connection: Connection) -> bool:
            await meetings.lock_recording(connection, organization_id, file_hash)
            if not await meetings.keeps_audio(connection, organization_id, file_hash):
                return False
            await asyncio.to_thread(_move, folder, facts, made)
            return True

        if not await self._database.run(keep, organization_id=organization_id):
            raise MeetingNotFound
        found = await asyncio.to_thread(_read, facts)
        if found is None:
            raise MeetingNotFound
        return found


async def _encode(folder: Path) -> dict[str, int]:
    """Run the encoder in a folder; return what it says. Raises AudioUnavailable, DiskFull."""
    async with sandbox.run(CHILD, str(folder)) as child:
        try:
            line = await asyncio.wait_for(child.stdout.readline(), ENCODING_TIMEOUT_S)
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


def _move(folder: Path, facts: Path, made: dict[str, int]) -> None:
    """Move what was made in a folder beside the recording, in place of what was there. Safe to repeat."""
    if facts.exists() and not (folder / SOUND).exists():
        # It was moved: the connection broke during the commit.
        return
    # First what says that the others are there: a crash in the middle leaves nothing that is taken for whole.
    for old in sorted(facts.parent.glob("playback-*"), key=lambda path: path.suffix != facts.suffix):
        old.unlink(missing_ok=True)
    with (folder / facts.name).open("w", encoding="utf-8") as file:
        json.dump(made, file)
        file.flush()
        os.fsync(file.fileno())
    for name in (PEAKS, SOUND):
        (folder / name).replace(facts.with_suffix(Path(name).suffix))
    # Last: where it is, the others are.
    (folder / facts.name).replace(facts)
    sync_directory(facts.parent)


def _read(facts: Path) -> Playable | None:
    try:
        said = json.loads(facts.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Playable(facts.with_suffix(".webm"), facts.with_suffix(".u8"), said["duration_ms"], said["period_ms"])


async def _ignore(_: float) -> None:
    return
