"""Audio of meetings with redaction, decoded by the real decoders: silent where it must be, or not handed out."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from server.audio import AudioLog, Encoding, TrackFormat, encode_record
from server.disk import DiskReserve
from server.export import MeetingAudio
from server.export.meeting_audio import AUDIO, DUPLICATE, NO_ROOM, NO_WORDS, NOT_READY, NOT_THERE, OpenedAudio
from server.fair_slots import FairSlots
from server.live import LiveConfig, LiveTrack, TrackKind
from server.storage import ExportedMeeting, ListedMeeting
from tests.recordings import wav
from tests.server.audio.opus_audio import raw_packets

pytestmark = pytest.mark.children

ORGANIZATION, HASH = UUID(int=1), "a" * 64
# Three seconds, nowhere silent, and louder than what decoding may change.
TONE = (np.sin(np.arange(48_000) / 8) * 3000 + 8000).astype("<i2")
NOISE = np.random.default_rng(1).integers(1, 9000, len(TONE)).astype("<i2")
RANGES = [[500, 1000], [1999, 2500]]
MEETING = ExportedMeeting(
    listed=ListedMeeting(UUID(int=2), HASH, "m", None, "ready", 3000, 1, datetime.now(UTC)),
    media_type="audio/wav",
    size_bytes=1,
    n_speakers=None,
    language="",
    key_terms=(),
    channels="mixed",
    user_id=None,
    live_config=None,
    ignored_tracks=(),
    corrections=[],
    redact="phone",
    redacted_ranges=RANGES,
    speech_found=True,
    notice="",
    audio_deleted_at=None,
)


def recording(folder: Path, data: bytes) -> Path:
    """Store an uploaded recording."""
    path = AudioLog(folder / "log").folder(ORGANIZATION, HASH) / "original"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


async def opened(folder: Path, meeting: ExportedMeeting, reserve_bytes: int = 0) -> OpenedAudio:
    """The audio as it is handed out; nothing of it stays on the disk."""
    work = folder / "work"
    audio = MeetingAudio(AudioLog(folder / "log"), work, FairSlots(1), DiskReserve(folder, reserve_bytes))
    found = await audio.open(ORGANIZATION, meeting)
    assert not work.exists() or not list(work.iterdir())
    return found


async def samples(found: OpenedAudio, name: str) -> NDArray[np.int16]:
    """The content of a WAV that is handed out in pieces, each of which may be in memory."""
    audio = found.files[name]
    chunks = [chunk async for chunk in audio.chunks()]
    assert max(map(len, chunks)) <= 256 * 1024
    data = b"".join(chunks)
    assert len(data) == audio.size
    with wave.open(io.BytesIO(data)) as read:
        assert (read.getnchannels(), read.getframerate(), read.getsampwidth()) == (1, 16_000, 2)
        return np.frombuffer(read.readframes(read.getnframes()), "<i2")


def silent(heard: NDArray[np.int16], start_ms: int = 0) -> list[tuple[int, int]]:
    """Where exact silence is, milliseconds of the meeting."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], heard == 0, [0]]).astype(np.int8)))
    return [(start_ms + a // 16, start_ms + b // 16) for a, b in edges.reshape(-1, 2) if b - a > 160]


async def test_a_recording_is_silent_in_the_ranges_and_the_same_elsewhere(tmp_path: Path) -> None:
    recording(tmp_path, wav(TONE))
    found = await opened(tmp_path, MEETING)
    assert (list(found.files), found.left_out) == (["recording.wav"], {})
    heard = await samples(found, "recording.wav")
    assert silent(heard) == [(500, 1000), (1999, 2500)]
    spoken = heard != 0
    assert (heard[spoken] == TONE[spoken]).all()
    assert len(heard) == len(TONE)
    found.close()
    # Without redaction it is as it was uploaded.
    plain = await opened(tmp_path, replace(MEETING, redact="", redacted_ranges=[]))
    assert b"".join([chunk async for chunk in plain.files["recording.wav"].chunks()]) == wav(TONE)
    plain.close()


async def test_what_redacted_nothing_is_decoded_as_well(tmp_path: Path) -> None:
    uploaded = wav(TONE, mark="a comment with a number in it")
    recording(tmp_path, uploaded)
    found = await opened(tmp_path, replace(MEETING, redacted_ranges=[], media_type="audio/mpeg"))
    assert b"".join([chunk async for chunk in found.files["recording.wav"].chunks()])[46:] == TONE.tobytes()
    found.close()


async def test_each_channel_that_was_analysed_apart_is_silent(tmp_path: Path) -> None:
    recording(tmp_path, wav(np.stack([TONE, NOISE], axis=1)))
    found = await opened(tmp_path, replace(MEETING, channels="separate"))
    assert list(found.files) == ["recording-1.wav", "recording-2.wav"]
    for name in found.files:
        assert silent(await samples(found, name)) == [(500, 1000), (1999, 2500)]
    found.close()


def live(*tracks: LiveTrack, **changed: Any) -> ExportedMeeting:
    config = LiveConfig("m", None, tracks, None, "", 60, redact="phone")
    return replace(MEETING, live_config=config.to_document(), **changed)


def track(encoding: Encoding, start_us: int = 0, channel: int = 0, track_id: str = "mic") -> LiveTrack:
    format_ = TrackFormat(encoding, 48_000 if encoding is Encoding.OPUS else 16_000, 2 if channel else 1)
    return LiveTrack(track_id, TrackKind.PARTICIPANT, "Ann", format_, start_us, channel)


def log(folder: Path, number: int, data: bytes) -> None:
    """Store the log of a source."""
    path = AudioLog(folder / "log").live_track(ORGANIZATION, HASH, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def test_live_tracks_are_silent_at_the_times_of_the_meeting(tmp_path: Path) -> None:
    opus = track(Encoding.OPUS)
    late = track(Encoding.PCM_S16LE, start_us=750_000, track_id="late")
    log(tmp_path, 0, b"".join(encode_record(opus.format, packet) for packet in raw_packets(TONE)))
    log(tmp_path, 1, TONE.tobytes())
    found = await opened(tmp_path, live(opus, late, track(Encoding.PCM_S16LE, track_id="never sent")))
    assert (list(found.files), found.left_out) == (["track-0.wav", "track-1.wav"], {})
    assert [edges for edges in silent(await samples(found, "track-0.wav")) if edges[1] > 20] == [
        (500, 1000),
        (1999, 2500),
    ]
    assert silent(await samples(found, "track-1.wav"), 750) == [(750, 1000), (1999, 2500)]
    found.close()


async def test_channels_of_a_live_source_are_files_of_their_own_and_duplicates_are_left_out(tmp_path: Path) -> None:
    channels = [track(Encoding.PCM_S16LE, channel=channel) for channel in (1, 2)]
    again = track(Encoding.PCM_S16LE, track_id="again")
    log(tmp_path, 0, np.stack([TONE, TONE // 2], axis=1).tobytes())
    log(tmp_path, 1, TONE.tobytes())
    found = await opened(tmp_path, live(*channels, again, ignored_tracks=("again",)))
    assert list(found.files) == ["track-0-1.wav", "track-0-2.wav"]
    assert found.left_out == {"track-1": DUPLICATE}
    for name, level in (("track-0-1.wav", TONE), ("track-0-2.wav", TONE // 2)):
        heard = await samples(found, name)
        assert silent(heard) == [(500, 1000), (1999, 2500)]
        assert (heard[:8000] == level[:8000]).all()
    found.close()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"status": "failed"}, NOT_READY, id="failed"),
        pytest.param({"status": "receiving"}, NOT_READY, id="receiving"),
        pytest.param({"status": "queued"}, NOT_READY, id="queued"),
        pytest.param({"notice": "No words were recognised."}, NO_WORDS, id="no-words"),
        pytest.param({"speech_found": None}, NO_WORDS, id="unknown"),
        pytest.param(
            {"audio_deleted_at": datetime(2026, 1, 2, tzinfo=UTC)},
            "deleted on 2026-01-02T00:00:00+00:00, as the organization's policy says",
            id="deleted",
        ),
    ],
)
@pytest.mark.parametrize("is_live", [False, True], ids=["uploaded", "live"])
async def test_where_it_cannot_be_silenced_nothing_is_handed_out(
    tmp_path: Path, changed: dict[str, Any], reason: str, is_live: bool
) -> None:
    recording(tmp_path, wav(TONE))
    log(tmp_path, 0, TONE.tobytes())
    meeting = live(track(Encoding.PCM_S16LE)) if is_live else MEETING
    if status := changed.get("status"):
        meeting = replace(meeting, listed=replace(meeting.listed, status=status), redacted_ranges=[])
    else:
        meeting = replace(meeting, **changed)
    found = await opened(tmp_path, meeting)
    assert (found.files, found.left_out) == ({}, {AUDIO: reason})


async def test_what_cannot_be_decoded_is_left_out_with_the_reason(tmp_path: Path) -> None:
    assert (await opened(tmp_path, MEETING)).left_out == {AUDIO: NOT_THERE}
    assert (await opened(tmp_path, replace(MEETING, redact=""))).left_out == {AUDIO: NOT_THERE}
    path = recording(tmp_path, b"no media at all")
    found = await opened(tmp_path, MEETING)
    assert not found.files
    assert found.left_out[AUDIO].startswith("what is redacted in it could not be silenced: ")
    path.write_bytes(wav(TONE))
    assert (await opened(tmp_path, MEETING, reserve_bytes=2**60)).left_out == {AUDIO: NO_ROOM}
    log(tmp_path, 0, TONE.tobytes())
    found = await opened(tmp_path, live(track(Encoding.PCM_S16LE)), reserve_bytes=2**60)
    assert (found.files, found.left_out) == ({}, {"track-0": NO_ROOM})
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        await opened(tmp_path, MEETING)


async def test_an_export_that_is_cut_while_it_decodes_leaves_nothing_and_its_place(tmp_path: Path) -> None:
    recording(tmp_path, wav(np.tile(TONE, 100)))
    work = tmp_path / "work"
    audio = MeetingAudio(AudioLog(tmp_path / "log"), work, FairSlots(1))
    meeting = replace(MEETING, listed=replace(MEETING.listed, duration_ms=300_000))
    opening = asyncio.create_task(audio.open(ORGANIZATION, meeting))
    async with asyncio.timeout(60):
        while not (work.exists() and list(work.iterdir())):
            await asyncio.sleep(0.001)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not list(work.iterdir())
    found = await audio.open(ORGANIZATION, meeting)
    assert list(found.files) == ["recording.wav"]
    found.close()
