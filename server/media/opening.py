"""Opening of untrusted media: accepted formats, audio streams, start time and stated duration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Discard, Disposition

from server.media.accepted import CODECS, OPTIONS
from server.media.file_kind import ENCRYPTED, explain_unreadable, states_length
from server.media.opened_file import OpenedFile, Recording
from server.media.refusal import Refused, refuse_rate

# Containers without a stream list: late audio streams are found by reading on, up to these limits.
WITHOUT_HEADER = frozenset({"flv", "mpegts", "mpeg", "live_flv", "asf", "avi"})
READ_ON = {"probesize": str(2**31 - 1), "analyzeduration": str(4 * 3600 * 10**6)}
# Raw frame streams: their timestamps are extrapolated from the first frame's rate, and not reliable.
UNTIMED = frozenset({"aac", "ac3", "dts", "dtshd", "eac3", "latm", "loas", "mlp", "mp3", "truehd"})
NO_PICTURE = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
# Telephones have 8 kHz and old dictation machines half of it, converters up to 768 kHz. A rate is a number in the file,
# and decoded audio is 16 kHz whatever it is: one second of a thousand samples at 1 Hz would become a thousand seconds.
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4_000, 768_000
# A start before 0 by less than this is encoder preroll, which is inaudible.
PREROLL_S = 0.1
# Containers that state their samples or their number; others estimate the duration from bytes.
STATING = frozenset({"mov", "matroska", "flac", "wav"})
# Allowance for headers and padding around the samples that a WAV states.
WAV_SLACK_BYTES = 64 * 1024

Source = Recording | Any
"""A file, or a part of one."""


def open_media(source: Source, path: Recording) -> Any:
    """Open a container with at least one audio stream.

    An ``OpenedFile`` may be open as one container at a time.

    Args:
        source: the file, or a part of it.
        path: the whole file.

    Raises:
        Refused: not an accepted media file, without audio, or with audio at an unusable rate.
    """
    if path.stat().st_size == 0:
        raise Refused("empty", "the file is empty")
    container = _open(source, path, {})
    if not container.streams.audio and WITHOUT_HEADER.intersection(container.format.name.split(",")):
        container.close()
        container = _open(source, path, READ_ON)
    if not container.streams.audio:
        raise Refused("no_audio", "the file contains no audio stream")
    for stream in container.streams:
        if stream.type != "audio":
            stream.discard = Discard.all
    for stream in container.streams.audio:
        # 0: known with the first frame.
        if stream.codec_context is not None and (rate := stream.codec_context.sample_rate) and not usable_rate(rate):
            container.close()
            raise refuse_rate(rate, LOWEST_RATE_HZ, HIGHEST_RATE_HZ)
    return container


def usable_rate(rate_hz: int) -> bool:
    """Return whether audio at this sample rate is decoded."""
    return LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ


def _open(source: Source, path: Recording, options: dict[str, str]) -> Any:
    """Open a source by the only protocol that it needs: demuxers can open nothing else."""
    if isinstance(source, OpenedFile):
        os.lseek(source.descriptor, 0, os.SEEK_SET)
        target, protocol = "fd:", {"protocol_whitelist": "fd", "fd": str(source.descriptor)}
    elif isinstance(source, Path):
        target, protocol = str(source), {"protocol_whitelist": "file"}
    else:
        target, protocol = source, {"protocol_whitelist": "none"}
    try:
        return av.open(target, metadata_errors="ignore", options=OPTIONS | protocol | options)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise Refused("not_media", explain_unreadable(path)) from error


def start_s(container: Any) -> float | None:
    """Return the container's start time for players, seconds: the first of its audio and video; None if not stated."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in container.streams
        if stream.type in ("audio", "video")
        and not stream.disposition & NO_PICTURE
        and stream.start_time is not None
        and stream.time_base
    ]
    if not starts:
        return None
    start = min(starts)
    return 0.0 if -PREROLL_S < start < 0 else start


def has_timestamps(container: Any) -> bool:
    """Return whether the container has reliable packet timestamps."""
    return container.format.name not in UNTIMED


def decodable(stream: Any, codec: str) -> bool:
    """Return whether the codec is known and accepted; ``codec``, its name in the file, may say that it is encrypted."""
    return codec != ENCRYPTED and stream.codec_context is not None and stream.codec_context.name in CODECS


def stated_duration_s(container: Any, path: Recording) -> float | None:
    """Return the duration that the container reliably states, seconds; None if it states none or only an estimate."""
    kinds = set(container.format.name.split(",")) & STATING
    stream = container.streams.audio[0]
    if not kinds or not states_length(path):
        return None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = float(container.duration / 1e6)
    else:
        return None
    if "matroska" in kinds:
        # Some writers count from 0, some from the first timestamp.
        start = start_s(container) or 0.0
        return seconds - start if seconds > start else seconds
    if "wav" in kinds:
        return seconds if _fits(container, stream, seconds, path.stat().st_size) else None
    return seconds


def _fits(container: Any, stream: Any, seconds: float, file_bytes: int) -> bool:
    context = stream.codec_context
    rate = context.bit_rate if context is not None else 0
    return bool(rate) and seconds * rate / 8 <= file_bytes + WAV_SLACK_BYTES


def codec_name(stream: Any, codecs: Sequence[str], index: int) -> str:
    """Return the codec name of audio stream number ``index``.

    Args:
        codecs: the file's own names of its codecs, used if the codec is unknown to FFmpeg or ``ENCRYPTED``.
    """
    name = codecs[index] if index < len(codecs) else "unknown"
    return name if stream.codec_context is None or name == ENCRYPTED else str(stream.codec_context.name)
