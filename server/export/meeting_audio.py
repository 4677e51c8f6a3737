"""The audio of a meeting as it is handed out: as it was received, or decoded and silent where it is redacted."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO
from uuid import UUID

from server.audio import UPLOADED, AudioLog, DecoderDied, UnusableRecording, decode, live_track_name, open_file
from server.channels import ChannelUse
from server.disk import DiskFull, DiskReserve
from server.export.recordings import AudioFile, open_track, redacted_wav, uploaded_recording
from server.export.sparse_pcm import end_pcm, write_pcm
from server.fair_slots import FairSlots
from server.lifecycle import MeetingStatus
from server.live import LiveConfig, LiveTrack, decode_log
from server.moments import utc_text
from server.storage import ExportedMeeting

# A decoder of another version may find a recording to be a little longer than it was when it was analysed.
SPARE_S = 60.0
AUDIO = "audio"
NOT_READY = "what is redacted in it is known once the meeting is ready"
NO_WORDS = "what is redacted in it is not known: there is speech, and no words were recognised"
DUPLICATE = "a duplicate of another track, which was not analysed: what is redacted in it is not known"
NO_ROOM = "there is no room on the server's disk to decode it; export again"
NOT_DECODED = "what is redacted in it could not be silenced: it could not be decoded now; export again"
NOT_THERE = "its file is not in the audio log"


@dataclass(slots=True)
class OpenedAudio:
    """Open files of a meeting's audio."""

    files: dict[str, AudioFile] = field(default_factory=dict)
    """By name in the archive."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Reasons, by what is not handed out: ``audio`` for all of it, or the name of a file without its suffix."""

    def close(self) -> None:
        """Close the files."""
        for audio in self.files.values():
            audio.file.close()


class MeetingAudio:
    """Opens the audio of meetings, and decodes what has to be redacted: to disk, since its size comes before it.

    Args:
        folder: where audio is decoded, made if need be. Nothing stays in it.
        disk: the disk of ``folder``, whose reserve stays free.
        places: for decoders, by organization.
    """

    def __init__(
        self, audio_log: AudioLog, folder: Path, places: FairSlots[UUID], disk: DiskReserve | None = None
    ) -> None:
        self._audio_log, self._folder, self._places, self._disk = audio_log, folder, places, disk

    async def open(self, organization_id: UUID, meeting: ExportedMeeting) -> OpenedAudio:
        """Open the audio of a meeting: what is deleted from now on is still read. May take minutes with redaction."""
        opened = OpenedAudio()
        if meeting.audio_deleted_at is not None:
            moment = utc_text(meeting.audio_deleted_at)
            opened.left_out[AUDIO] = f"deleted on {moment}, as the organization's policy says"
        elif not meeting.redact:
            await self._open(opened, organization_id, meeting)
        elif meeting.listed.status != MeetingStatus.READY:
            opened.left_out[AUDIO] = NOT_READY
        elif not meeting.words_known:
            opened.left_out[AUDIO] = NO_WORDS
        else:
            async with self._places.place(organization_id):
                await self._open_redacted(opened, organization_id, meeting)
        return opened

    async def _open(self, opened: OpenedAudio, organization_id: UUID, meeting: ExportedMeeting) -> None:
        file_hash = meeting.listed.file_hash
        if meeting.live_config is not None:
            async with self._audio_log.live.opened(organization_id, file_hash) as folder:
                await asyncio.to_thread(_open_tracks, opened, folder, meeting)
        elif (file := await self._audio_log.kept.open(organization_id, file_hash, UPLOADED)) is None:
            opened.left_out[AUDIO] = NOT_THERE
        else:
            recording = await asyncio.to_thread(uploaded_recording, file, meeting.media_type)
            opened.files[f"recording{recording.suffix}"] = recording

    async def _open_redacted(self, opened: OpenedAudio, organization_id: UUID, meeting: ExportedMeeting) -> None:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        if meeting.live_config is None:
            await self._open_redacted_recording(opened, organization_id, meeting)
            return
        config = LiveConfig.from_document(meeting.live_config)
        async with self._audio_log.live.opened(organization_id, meeting.listed.file_hash) as folder:
            await self._open_redacted_tracks(opened, folder, config, meeting)

    async def _open_redacted_tracks(
        self, opened: OpenedAudio, folder: Path, config: LiveConfig, meeting: ExportedMeeting
    ) -> None:
        with ExitStack() as stack:
            stack.callback(opened.close)
            for index, track in enumerate(config.tracks):
                number = config.source_index(index)
                name = f"track-{number}-{track.channel}" if track.channel else f"track-{number}"
                path = folder / live_track_name(number)
                if not await asyncio.to_thread(_is_file, path):
                    continue
                if track.key in meeting.ignored_tracks:
                    opened.left_out[name] = DUPLICATE
                elif isinstance(decoded := await self._decode_track(track, path), str):
                    opened.left_out[name] = decoded
                else:
                    opened.files[f"{name}.wav"] = redacted_wav(decoded, meeting.redacted_ranges, track.start_us)
            stack.pop_all()

    async def _open_redacted_recording(
        self, opened: OpenedAudio, organization_id: UUID, meeting: ExportedMeeting
    ) -> None:
        most_s = (meeting.listed.duration_ms or 0) / 1000 + SPARE_S
        channels = ChannelUse(meeting.channels)
        # The files are gone from the folder before the first byte is sent: they are open.
        with TemporaryDirectory(dir=self._folder, prefix="export-", ignore_cleanup_errors=True) as folder:
            target = Path(folder) / "pcm"
            try:
                async with self._audio_log.kept.local(organization_id, meeting.listed.file_hash, UPLOADED) as source:
                    if source is None:
                        opened.left_out[AUDIO] = NOT_THERE
                        return
                    decoded = await decode(source, target, most_s, _ignore, channels, disk=self._disk)
            except UnusableRecording as error:
                opened.left_out[AUDIO] = f"what is redacted in it could not be silenced: {error}"
                return
            except (DiskFull, DecoderDied) as error:
                opened.left_out[AUDIO] = NO_ROOM if isinstance(error, DiskFull) else NOT_DECODED
                return
            for track in decoded.tracks:
                name = f"recording-{track.index + 1}" if channels is ChannelUse.SEPARATE else "recording"
                opened.files[f"{name}.wav"] = redacted_wav(track.path.open("rb"), meeting.redacted_ranges)

    async def _decode_track(self, track: LiveTrack, path: Path) -> BinaryIO | str:
        """Return the decoded audio of a live track, or why there is none."""
        # It has no name: whatever happens, nothing of it stays.
        file: BinaryIO = TemporaryFile(dir=self._folder)  # noqa: SIM115 - handed on
        try:
            async with aclosing(decode_log(track, path)) as pcm:
                async for data in pcm:
                    await asyncio.to_thread(write_pcm, file, data, self._disk)
            await asyncio.to_thread(end_pcm, file)
        except BaseException as error:
            file.close()
            if isinstance(error, DiskFull):
                return NO_ROOM
            if isinstance(error, FileNotFoundError):
                # Deleted at this moment.
                return NOT_THERE
            raise
        return file


def _open_tracks(opened: OpenedAudio, folder: Path, meeting: ExportedMeeting) -> None:
    with ExitStack() as stack:
        stack.callback(opened.close)
        for number, source in enumerate(LiveConfig.from_document(meeting.live_config or {}).sources):
            if track := open_track(folder / live_track_name(number), source.format):
                opened.files[f"track-{number}{track.suffix}"] = track
        stack.pop_all()


def _is_file(path: Path) -> bool:
    """Return whether there is a file. Raises OSError for a link."""
    file = open_file(path)
    if file is None:
        return False
    file.close()
    return True


async def _ignore(_: float) -> None:
    return
