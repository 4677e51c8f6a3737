"""A live meeting as input of the analysis: its tracks, decoded from the durable audio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from server.analysis import AudioTrack, Cut, GivenName, Recording
from server.audio import (
    PIECE_SAMPLES,
    AudioEditor,
    AudioLog,
    TrackDecoder,
    TrackEdits,
    TrackFormat,
    edited_length,
    live_cuts_name,
    live_track_name,
    read_edits,
    read_log_positions,
)
from server.live.config import MAX_TRACKS, LiveConfig, LiveTrack, TrackKind
from server.live.given_names import load_given_names
from server.live.track_cuts import read_cuts
from server.live.track_part import part_start
from server.media import RATE_HZ
from server.storage import Database, Job, live

READ_BYTES = 256 * 1024
PATIENCE_S = 60.0


def audio_track(
    config: LiveConfig,
    index: int,
    pcm: Callable[[], AsyncIterator[bytes]],
    samples: int = 0,
    cuts: Sequence[Cut] = (),
) -> AudioTrack:
    """Return a track of a live meeting for the analysis.

    Args:
        index: index in the config's tracks.
        pcm: opens the track's audio from its start, s16le mono at 16 kHz.
        samples: length at 16 kHz; 0 if unknown.
        cuts: the track's stored cuts.
    """
    return AudioTrack(
        pcm,
        samples,
        config.expected_speakers(index),
        config.tracks[index].kind is TrackKind.PARTICIPANT,
        config.tracks[index].start_us,
        partial(config.speaker_number, index),
        index,
        config.tracks[index].display_name,
        tuple(cuts),
        config.recognition_terms(index),
    )


def live_recording(config: LiveConfig, tracks: Sequence[AudioTrack], given_names: tuple[GivenName, ...]) -> Recording:
    """Return a live meeting as input of the analysis.

    Args:
        tracks: those that are analysed.
        given_names: names given by hand while it ran.
    """
    return Recording(
        tuple(tracks),
        MAX_TRACKS,
        config.participant_names(),
        config.room_names(),
        config.all_participant_names(),
        given_names,
    )


async def decode_pcm(
    decoder: TrackDecoder, editor: AudioEditor, raw: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """Decode the bytes of a track's log incrementally to what is heard of it, s16le mono at 16 kHz."""
    try:
        async for data in raw:
            async with aclosing(decoder.pieces(data)) as pieces:
                async for piece in pieces:
                    for heard in editor.pieces(piece):
                        yield heard.tobytes()
                        if len(heard) == PIECE_SAMPLES:
                            # One of many: hours of silence come from no file that is waited for.
                            await asyncio.sleep(0)
        for heard in editor.pieces(await decoder.finish()):
            yield heard.tobytes()
    finally:
        await decoder.close()


async def _read(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while data := await asyncio.to_thread(file.read, READ_BYTES):
            yield data


async def decode_log(track: LiveTrack, path: Path) -> AsyncGenerator[bytes, None]:
    """Yield what is heard of a track from its start, s16le mono at 16 kHz, decoded from the log of its source."""
    decoder = TrackDecoder(track.format, track.channel)
    # Those that no audio follows are never reached.
    edits = TrackEdits(track.format.positions_per_second, await asyncio.to_thread(read_edits, path))
    async with aclosing(_read(path)) as raw, aclosing(decode_pcm(decoder, AudioEditor(edits), raw)) as pcm:
        async for data in pcm:
            yield data


class LiveRecordings:
    """Load the recordings of live meetings for the worker."""

    def __init__(self, database: Database, audio_log: AudioLog) -> None:
        self._database = database
        self._audio_log = audio_log

    async def load(self, job: Job) -> Recording | None:
        """Return the recording of the job's meeting; None for an uploaded one.

        Raises StoreUnavailable, RecordingMissing, DiskFull.
        """
        run = partial(self._database.run, organization_id=job.organization_id, patience_s=PATIENCE_S)
        found = await run(lambda c: live.find_recorded(c, job.meeting_id))
        if found is None:
            return None
        document, ignored = found
        given_names = await run(lambda c: load_given_names(c, job.meeting_id))
        config = LiveConfig.from_document(document)
        folder = await self._audio_log.live.copied(job.organization_id, job.file_hash)
        tracks = []
        for index, track in enumerate(config.tracks):
            path = folder / live_track_name(config.source_index(index))
            if track.key not in ignored:
                cuts_path = folder / live_cuts_name(index)
                length, cuts = await asyncio.to_thread(_log_samples, track.format, path, cuts_path)
                tracks.append(audio_track(config, index, partial(decode_log, track, path), length, cuts))
        return live_recording(config, tracks, given_names)


def _log_samples(format_: TrackFormat, path: Path, cuts_path: Path) -> tuple[int, list[Cut]]:
    """Return the length of what is heard of a log, samples at 16 kHz; 0 where only decoding tells; and its cuts."""
    per_second = format_.positions_per_second
    if per_second is None:
        return 0, [Cut(position, position) for position in read_cuts(cuts_path)]
    with path.open("rb") as file:
        recorded, _ = read_log_positions(format_, file)
    found = read_edits(path, recorded)
    edits = TrackEdits(per_second, found)
    cuts = [Cut(position, part_start(edits, position)) for position in read_cuts(cuts_path)]
    return edited_length(recorded, found) * RATE_HZ // per_second, cuts
