"""Opening untrusted media: what is accepted, which streams are heard, when the file begins, how long it says it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Discard, Disposition

from server.media.file_kind import ENCRYPTED, states_length, why_unreadable
from server.media.refusal import Refused

# Formats that make the decoder open other files or addresses.
REFUSED_FORMATS = frozenset({"hls", "dash", "concat", "image2", "image2pipe", "rtsp", "sdp", "tedcaptions", "tty"})
OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0"}
# Containers without a list of their streams: sound that begins late is found by reading on, up to so much.
WITHOUT_HEADER = frozenset({"flv", "mpegts", "mpeg", "live_flv", "asf", "avi", "nsv"})
READ_ON = {"probesize": str(2**31 - 1), "analyzeduration": str(4 * 3600 * 10**6)}
# Streams of frames and nothing else: their times are guessed by the first frame's rate, and say nothing.
UNTIMED = frozenset({"aac", "ac3", "dts", "dtshd", "eac3", "latm", "loas", "mlp", "mp3", "truehd"})
NO_PICTURE = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
# What is before 0 by less than this is what coders need to begin, and nobody hears it.
PREROLL_S = 0.1
# A length is believed where the container lists its samples, or their number; elsewhere it is guessed from bytes.
STATING = frozenset({"mov", "matroska", "flac", "wav"})
# Sizes of headers and padding beside the samples that a WAV states.
WAV_SLACK_BYTES = 64 * 1024

Source = Path | Any
"""A file by its path, or a part of one."""


def open_media(source: Source, path: Path) -> Any:
    """The opened container, with at least one audio stream; ``path`` is the file that ``source`` is or is of.

    Raises:
        Refused: it is no media that is accepted, or has no sound.
    """
    if path.stat().st_size == 0:
        raise Refused("empty", "the file is empty")
    container = _opened(source, path, OPTIONS)
    names = set(container.format.name.split(","))
    if names & REFUSED_FORMATS:
        raise Refused("not_media", f"files of the kind {container.format.name} are not accepted")
    if not container.streams.audio and names & WITHOUT_HEADER:
        container.close()
        container = _opened(source, path, OPTIONS | READ_ON)
    if not container.streams.audio:
        raise Refused("no_audio", "the file has no sound: no audio stream was found in it")
    for stream in container.streams:
        if stream.type != "audio":
            stream.discard = Discard.all
    return container


def _opened(source: Source, path: Path, options: dict[str, str]) -> Any:
    try:
        return av.open(str(source) if isinstance(source, Path) else source, metadata_errors="ignore", options=options)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise Refused("not_media", why_unreadable(path)) from error


def start_s(container: Any) -> float | None:
    """When the file begins as a player shows it, with the first of its sound and pictures; None: it does not say."""
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


def timed(container: Any) -> bool:
    """Whether the container knows when each of its packets is to be heard."""
    return container.format.name not in UNTIMED


def stated_duration_s(container: Any, path: Path) -> float | None:
    """The length that the container surely states, in seconds; None where it does not, or only guesses."""
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


def codec_name(stream: Any, called: Sequence[str], place: int) -> str:
    """The codec of the audio stream at a place; ``called`` is what the file calls each, which counts where nobody
    knows it, or it is ``ENCRYPTED``."""
    name = called[place] if place < len(called) else "unknown"
    return name if stream.codec_context is None or name == ENCRYPTED else str(stream.codec_context.name)
