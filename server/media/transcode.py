"""Transcoding of any media file to 16 kHz PCM: all audio tracks mixed, or each channel separately."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av.error

from server.media.file_kind import ENCRYPTED, codecs_of_tracks
from server.media.holes import has_hole
from server.media.mixing import distinct, mix
from server.media.ogg_links import FilePart, ogg_links
from server.media.opening import codec_name, open_media, start_s, timed
from server.media.pcm_file import PcmFile, PcmFolder
from server.media.refusal import Refused, too_many_channels
from server.media.resampling import RATE_HZ
from server.media.track import Track

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
CONVERT = "convert it to WAV, FLAC or Opus and upload that"


@dataclass(frozen=True, slots=True)
class Heard:
    """One track of the outcome."""

    file: str
    samples: int
    place: int
    """Index among the recording's channels."""
    called: str
    level_dbfs: float | None
    """Mean power of the original, dBFS; None for digital silence or a mix of several tracks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of transcoding a recording."""

    tracks: list[Heard]
    places: int
    samples: int
    damaged: bool
    remarks: list[str]

    def to_document(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return asdict(self)


def transcode(
    source: Path, folder: Path, max_seconds: float, *, apart: bool, progress: Callable[[float], None]
) -> Outcome:
    """Decode ``source`` into files in ``folder``.

    Args:
        max_seconds: maximum length, seconds.
        apart: keep each channel of each track as a track of its own, instead of mixing all.
        progress: called repeatedly with the seconds decoded.

    Raises:
        Refused: no usable audio, too long, or too many channels to keep separate.
    """
    called = codecs_of_tracks(source)
    tracks, streams = _decoded(source, folder, max_seconds, called, apart=apart, gains=[], progress=progress)
    gains = [track.peaks.gain() for track in tracks]
    if any(gain != 1 for gain in gains):
        # An abnormal level is known only at the end, so the file is decoded again, which costs no disk space.
        tracks, _ = _decoded(source, folder, max_seconds, called, apart=apart, gains=gains, progress=progress)
    heard = [track for track in tracks if track.files and track.samples >= MIN_SAMPLES]
    if not heard:
        raise _nothing_heard(tracks)
    seconds = max(track.samples for track in heard) / RATE_HZ
    files = [file for track in heard for file in track.files]
    kept = distinct(files, lambda: progress(seconds))
    remarks = [remark for track in tracks if (remark := _left_out(track, track in heard))]
    if streams > MAX_TRACKS:
        remarks.append(f"only the first {MAX_TRACKS} of {streams} audio tracks were heard")
    damaged = any(track.damaged for track in heard) or (any(track.gaps for track in heard) and has_hole(source))
    outcome = _apart(tracks, kept) if apart else [_mixed(kept, folder, lambda: progress(seconds))]
    places = sum(len(track.files) for track in tracks) if apart else 1
    for file in files:
        if file.path.name not in {one.file for one in outcome}:
            file.path.unlink(missing_ok=True)
    return Outcome(outcome, places, max(one.samples for one in outcome), damaged, remarks)


def _decoded(
    source: Path,
    folder: Path,
    max_seconds: float,
    called: list[str],
    *,
    apart: bool,
    gains: list[float],
    progress: Callable[[float], None],
) -> tuple[list[Track], int]:
    """Return the tracks with complete files, and the number of tracks including ones over the limit."""
    files = PcmFolder(folder, max_seconds, MAX_TRACKS)
    tracks: list[Track] = []
    base = most = 0
    try:
        for container in _containers(source):
            most = max(most, len(container.streams.audio))
            streams = container.streams.audio[:MAX_TRACKS]
            _check_channels(streams, apart=apart)
            if len(streams) == 1 and codec_name(streams[0], called, 0) in THREADED:
                # Several streams already occupy the cores, and threads cost memory.
                streams[0].thread_type = "AUTO"
            for place in range(len(tracks), len(streams)):
                gain = gains[place] if place < len(gains) else 1.0
                tracks.append(Track(files, place, apart=apart, gain=gain))
            _decode_container(
                container, tracks, [codec_name(s, called, i) for i, s in enumerate(streams)], base, progress
            )
            base = max(track.samples for track in tracks)
    finally:
        for track in tracks:
            track.close()
    return tracks, most


def _containers(source: Path) -> Iterator[Any]:
    """Yield the opened file, or each of its links; unreadable links are skipped unless all are."""
    links = ogg_links(source)
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


def _check_channels(streams: list[Any], *, apart: bool) -> None:
    channels = sum(s.codec_context.channels for s in streams if s.codec_context is not None)
    if apart and channels > MAX_TRACKS:
        raise too_many_channels(MAX_TRACKS, channels)


def _decode_container(
    container: Any, tracks: list[Track], codecs: list[str], base: int, progress: Callable[[float], None]
) -> None:
    streams = container.streams.audio[:MAX_TRACKS]
    by_index = {}
    for stream, track, codec in zip(streams, tracks, codecs, strict=False):
        track.begin_link(stream, codec, base, timed=timed(container))
        by_index[stream.index] = track
    origin_s = start_s(container)
    for packet in _packets(container, [s for s in streams if s.codec_context is not None], by_index):
        if origin_s is None and packet.pts is not None:
            # Without a stated start time, use the first packet's.
            origin_s = max(0.0, float(packet.pts * packet.time_base))
        track = by_index[packet.stream.index]
        track.take(packet, origin_s or 0.0)
        progress(track.samples / RATE_HZ)
    for track in by_index.values():
        track.end_link()
        track.gaps |= (container.duration or 0) / 1e6 - (track.samples - base) / RATE_HZ > SHORT_S


def _packets(container: Any, streams: list[Any], tracks: dict[int, Track]) -> Iterator[Any]:
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


def _mixed(kept: list[PcmFile], folder: Path, working: Callable[[], None]) -> Heard:
    if len(kept) == 1:
        only = kept[0]
        return Heard(only.path.name, only.samples, 0, "", only.level_dbfs)
    return Heard(MIXED_FILE, mix(kept, folder / MIXED_FILE, working), 0, "", None)


def _apart(tracks: list[Track], kept: list[PcmFile]) -> list[Heard]:
    """Return the channels with distinct audio, by index among all channels."""
    channels = [(track, channel, file) for track in tracks for channel, file in enumerate(track.files)]
    several = len([track for track in tracks if track.files]) > 1
    return [
        Heard(file.path.name, file.samples, place, _name(track, channel, several=several), file.level_dbfs)
        for place, (track, channel, file) in enumerate(channels)
        if file in kept
    ]


def _name(track: Track, channel: int, *, several: bool) -> str:
    if not several:
        return f"channel {channel + 1}"
    return f"track {track.place + 1}" + (f", channel {channel + 1}" if len(track.files) > 1 else "")


def _left_out(track: Track, heard: bool) -> str:
    """Return the remark on an unused track; empty if it was used or has no content."""
    name = f"audio track {track.place + 1} (codec {track.codec})"
    if heard:
        return ""
    if track.codec == ENCRYPTED:
        return f"audio track {track.place + 1} is encrypted and was left out"
    if not track.decodable:
        return f"{name} cannot be decoded and was left out"
    return f"{name} is damaged and was left out" if track.damaged else ""


def _nothing_heard(tracks: list[Track]) -> Refused:
    """Return the refusal of a file without usable audio."""
    if any(track.codec == ENCRYPTED for track in tracks):
        return Refused("encrypted", "the sound is encrypted (DRM): upload a copy without protection")
    unknown = [track.codec for track in tracks if not track.decodable]
    if unknown:
        name = "a codec that is unknown here" if unknown[0] == "unknown" else f"the codec {unknown[0]}"
        return Refused("unknown_codec", f"the sound is of {name}, which cannot be decoded: {CONVERT}")
    if any(track.damaged for track in tracks):
        return Refused("undecodable", f"the file is damaged: no sound could be decoded from it; {_repair()}")
    samples = max((track.source_samples for track in tracks), default=0)
    rate = max((track.source_rate_hz for track in tracks), default=0)
    short = f" at {rate} Hz, too few to be heard" if samples else ""
    return Refused("no_samples", f"the recording holds no audio: {samples} sample{'s' * (samples != 1)}{short}")


def _repair() -> str:
    return f"if a player plays it, {CONVERT}"
