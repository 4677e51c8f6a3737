"""Transcoding of any media file to 16 kHz PCM: all audio tracks mixed, or each channel separately."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av.error

from server.media.file_kind import ENCRYPTED, track_codecs
from server.media.holes import has_hole
from server.media.mixing import mix, select_distinct_files
from server.media.ogg_links import FilePart, find_ogg_links
from server.media.opened_file import Recording
from server.media.opening import codec_name, has_timestamps, open_media, start_s
from server.media.pcm_file import PcmFile, PcmFolder, file_name
from server.media.refusal import Refused, refuse_channels
from server.media.resampling import RATE_HZ
from server.media.track_transcoder import TrackTranscoder

# As many as a live meeting may have.
MAX_TRACKS = 32
# Less than 5 ms is not sound: shorter than one period of a low voice.
MIN_SAMPLES = RATE_HZ // 200
# After an error a demuxer may resume at its position; without progress it is abandoned.
MAX_FAILURES_IN_A_ROW = 20
# Codecs that benefit from decoder threads. WavPack's threads deadlock on damaged files.
THREADED = frozenset({"alac", "flac", "tta"})
# Audio that ends this much before the container's stated end may be missing.
SHORT_S = 0.5
MIXED_FILE = "mixed.raw"
# All files that a recording can become.
OUTPUT_FILES = (*(file_name(number) for number in range(1, MAX_TRACKS + 1)), MIXED_FILE)
# 37 hours in all: nine tracks of four hours, or 32 of an hour.
MAX_DECODED_BYTES = 4 * 1024**3
CONVERT = "convert it to WAV, FLAC or Opus and upload that"


@dataclass(frozen=True, slots=True)
class _Limits:
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class TranscodedTrack:
    """One track of the outcome."""

    file: str
    samples: int
    index: int
    """Index among the recording's channels."""
    display_name: str
    """Label of the channel for people; empty for the mix."""
    level_dbfs: float | None
    """Mean power of the original, dBFS; None for digital silence or a mix of several tracks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of transcoding a recording."""

    tracks: list[TranscodedTrack]
    channel_count: int
    """Number of the recording's channels if they are kept separate, else 1."""
    samples: int
    damaged: bool
    remarks: list[str]

    def to_document(self) -> dict[str, Any]:
        """Return JSON-compatible values. The audio log keeps them, so the keys must not change."""
        return {
            "tracks": [
                {
                    "file": track.file,
                    "samples": track.samples,
                    "place": track.index,
                    "called": track.display_name,
                    "level_dbfs": track.level_dbfs,
                }
                for track in self.tracks
            ],
            "places": self.channel_count,
            "samples": self.samples,
            "damaged": self.damaged,
            "remarks": self.remarks,
        }


def transcode(
    source: Recording,
    folder: Path,
    max_seconds: float,
    *,
    separate: bool,
    progress: Callable[[float], None],
    max_bytes: int = MAX_DECODED_BYTES,
) -> Outcome:
    """Decode ``source`` into files in ``folder``.

    Args:
        max_seconds: maximum length, seconds.
        max_bytes: maximum size of the decoded tracks together, bytes; their mix may take as much as one more.
        separate: keep each channel of each track as a track of its own, instead of mixing all.
        progress: called repeatedly with the seconds decoded.

    Raises:
        Refused: no usable audio, too long, too much of it, at an unusable rate, or too many channels to keep separate.
    """
    limits = _Limits(max_seconds, max_bytes)
    codecs = track_codecs(source)
    tracks, streams = _decode_tracks(source, folder, limits, codecs, separate=separate, gains=[], progress=progress)
    gains = [track.peaks.gain() for track in tracks]
    if any(gain != 1 for gain in gains):
        # An abnormal level is known only at the end, so the file is decoded again, which costs no disk space.
        tracks, _ = _decode_tracks(source, folder, limits, codecs, separate=separate, gains=gains, progress=progress)
    usable = [track for track in tracks if track.files and track.samples >= MIN_SAMPLES]
    if not usable:
        raise _refuse_unusable(tracks)
    seconds = max(track.samples for track in usable) / RATE_HZ
    files = [file for track in usable for file in track.files]
    distinct_files = select_distinct_files(files, lambda: progress(seconds))
    remarks = [remark for track in tracks if (remark := _describe_unused(track, track in usable))]
    if streams > MAX_TRACKS:
        remarks.append(f"only the first {MAX_TRACKS} of {streams} audio tracks were used")
    damaged = any(track.damaged for track in usable) or (any(track.gaps for track in usable) and has_hole(source))
    outcome = (
        _select_channels(tracks, distinct_files)
        if separate
        else [_mix_tracks(distinct_files, folder, lambda: progress(seconds))]
    )
    channel_count = sum(len(track.files) for track in tracks) if separate else 1
    for file in files:
        if file.path.name not in {result.file for result in outcome}:
            file.path.unlink(missing_ok=True)
    return Outcome(outcome, channel_count, max(result.samples for result in outcome), damaged, remarks)


def _decode_tracks(
    source: Recording,
    folder: Path,
    limits: _Limits,
    codecs: list[str],
    *,
    separate: bool,
    gains: list[float],
    progress: Callable[[float], None],
) -> tuple[list[TrackTranscoder], int]:
    """Return the tracks with complete files, and the number of tracks including ones over the limit."""
    files = PcmFolder(folder, limits.seconds, MAX_TRACKS, limits.bytes)
    tracks: list[TrackTranscoder] = []
    base = stream_count = 0
    try:
        for container in _open_containers(source):
            stream_count = max(stream_count, len(container.streams.audio))
            streams = container.streams.audio[:MAX_TRACKS]
            _check_channels(streams, separate=separate)
            if len(streams) == 1 and codec_name(streams[0], codecs, 0) in THREADED:
                # Several streams already occupy the cores, and threads cost memory.
                streams[0].thread_type = "AUTO"
            for index in range(len(tracks), len(streams)):
                gain = gains[index] if index < len(gains) else 1.0
                tracks.append(TrackTranscoder(files, index, separate=separate, gain=gain))
            _decode_container(
                container, tracks, [codec_name(s, codecs, i) for i, s in enumerate(streams)], base, progress
            )
            base = max(track.samples for track in tracks)
    finally:
        for track in tracks:
            track.close()
    return tracks, stream_count


def _open_containers(source: Recording) -> Iterator[Any]:
    """Yield the opened file, or each of its links; unreadable links are skipped unless all are."""
    links = find_ogg_links(source)
    if not links:
        with open_media(source, source) as container:
            yield container
        return
    refused: Refused | None = None
    opened = 0
    with source.open("rb") as file:
        for first, end in links:
            with ExitStack() as stack:
                try:
                    container = stack.enter_context(open_media(FilePart(file, first, end), source))
                except Refused as error:
                    refused = refused or error
                    continue
                opened += 1
                yield container
    if not opened and refused:
        raise refused


def _check_channels(streams: list[Any], *, separate: bool) -> None:
    channels = sum(s.codec_context.channels for s in streams if s.codec_context is not None)
    if separate and channels > MAX_TRACKS:
        raise refuse_channels(MAX_TRACKS, channels)


def _decode_container(
    container: Any, tracks: list[TrackTranscoder], codecs: list[str], base: int, progress: Callable[[float], None]
) -> None:
    streams = container.streams.audio[:MAX_TRACKS]
    tracks_by_stream = {}
    for stream, track, codec in zip(streams, tracks, codecs, strict=False):
        track.begin_link(stream, codec, base, has_timestamps=has_timestamps(container))
        tracks_by_stream[stream.index] = track
    origin_s = start_s(container)
    for packet in _demux(container, [s for s in streams if tracks_by_stream[s.index].decodable], tracks_by_stream):
        if origin_s is None and packet.pts is not None:
            # Without a stated start time, use the first packet's.
            origin_s = max(0.0, float(packet.pts * packet.time_base))
        track = tracks_by_stream[packet.stream.index]
        track.decode_packet(packet, origin_s or 0.0)
        progress(track.samples / RATE_HZ)
    for track in tracks_by_stream.values():
        track.end_link()
        track.gaps |= (container.duration or 0) / 1e6 - (track.samples - base) / RATE_HZ > SHORT_S


def _demux(container: Any, streams: list[Any], tracks: dict[int, TrackTranscoder]) -> Iterator[Any]:
    """Yield all packets of the streams; a container error loses only the audio it hides."""
    failures = 0
    while streams:
        try:
            for packet in container.demux(streams):
                failures = 0
                yield packet
            return
        except IndexError:
            # At the end of the file, PyAV 18 fails on streams that appeared midway.
            return
        except av.error.FFmpegError:
            for stream in streams:
                tracks[stream.index].damaged = True
            failures += 1
            if failures == MAX_FAILURES_IN_A_ROW:
                return


def _mix_tracks(distinct_files: list[PcmFile], folder: Path, working: Callable[[], None]) -> TranscodedTrack:
    if len(distinct_files) == 1:
        only = distinct_files[0]
        return TranscodedTrack(only.path.name, only.samples, 0, "", only.level_dbfs)
    return TranscodedTrack(MIXED_FILE, mix(distinct_files, folder / MIXED_FILE, working), 0, "", None)


def _select_channels(tracks: list[TrackTranscoder], distinct_files: list[PcmFile]) -> list[TranscodedTrack]:
    """Return the channels with distinct audio, by index among all channels."""
    channels = [(track, channel, file) for track in tracks for channel, file in enumerate(track.files)]
    multiple_tracks = len([track for track in tracks if track.files]) > 1
    return [
        TranscodedTrack(
            file.path.name,
            file.samples,
            index,
            _channel_name(track, channel, multiple_tracks=multiple_tracks),
            file.level_dbfs,
        )
        for index, (track, channel, file) in enumerate(channels)
        if file in distinct_files
    ]


def _channel_name(track: TrackTranscoder, channel: int, *, multiple_tracks: bool) -> str:
    if not multiple_tracks:
        return f"channel {channel + 1}"
    return f"track {track.index + 1}" + (f", channel {channel + 1}" if len(track.files) > 1 else "")


def _describe_unused(track: TrackTranscoder, usable: bool) -> str:
    """Return the remark on an unused track; empty if it was used or has no content."""
    name = f"audio track {track.index + 1} (codec {track.codec})"
    if usable:
        return ""
    if track.codec == ENCRYPTED:
        return f"audio track {track.index + 1} is encrypted and was left out"
    if not track.decodable:
        return f"{name} cannot be decoded and was left out"
    return f"{name} is damaged and was left out" if track.damaged else ""


def _refuse_unusable(tracks: list[TrackTranscoder]) -> Refused:
    """Return the refusal of a file without usable audio."""
    if any(track.codec == ENCRYPTED for track in tracks):
        return Refused("encrypted", "the audio is encrypted (DRM): upload an unencrypted copy")
    unknown = [track.codec for track in tracks if not track.decodable]
    if unknown:
        name = "an unknown codec" if unknown[0] == "unknown" else f"the codec {unknown[0]}"
        return Refused("unknown_codec", f"the audio uses {name}, which cannot be decoded: {CONVERT}")
    if any(track.damaged for track in tracks):
        return Refused("undecodable", f"the file is damaged: no audio could be decoded; {_repair_advice()}")
    samples = max((track.source_samples for track in tracks), default=0)
    rate = max((track.source_rate_hz for track in tracks), default=0)
    short = f" at {rate} Hz, too short to analyse" if samples else ""
    return Refused("no_samples", f"the recording contains no audio: {samples} sample{'s' * (samples != 1)}{short}")


def _repair_advice() -> str:
    return f"if a player can play it, {CONVERT}"
