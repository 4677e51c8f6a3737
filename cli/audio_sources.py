"""Audio sources of ``meetra stream``: recordings, a microphone, or raw samples on standard input."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import av.error

from meetra_client import Track
from server.media import RATE_HZ, MonoResampler, Refused, open_media, to_s16, transcode

BLOCK_S = 0.1
# Blocks that a source may read ahead. A recording can wait; a microphone cannot, and is recorded on while the
# connection is down: ten minutes take 19 MB.
BLOCKS_AHEAD, MICROPHONE_BLOCKS_AHEAD = 20, 6000
STDIN_BYTES = READ_BYTES = 64 * 1024
# A recording is decoded before its first block is sent: 4 h take a minute or two, and half a gigabyte.
MAX_S = 24 * 3600.0
ALSA_SETTINGS = Path("/usr/share/alsa")
# Tried in this order, if the libraries support them.
MICROPHONES = {
    "linux": [("pulse", "default"), ("alsa", "default"), ("alsa", "hw:0")],
    "darwin": [("avfoundation", ":default")],
    "win32": [("dshow", "audio=default")],
}


class SourceUnusable(Exception):
    """The source provides no audio; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AudioSource:
    """One track with its audio."""

    track: Track
    blocks: Callable[[int], Iterator[bytes]]
    """Yields whole samples in the track's encoding from the given sample on. Raises SourceUnusable."""
    probe: Callable[[], None]
    """Raises SourceUnusable if there is no audio; called before a meeting is opened."""
    paced: bool
    """Whether the audio must be paced by the clock; live sources pace themselves."""
    blocks_ahead: int = BLOCKS_AHEAD


def recording(path: Path, track_id: str, participant: str) -> AudioSource:
    """Return audio or video of any kind as 16 kHz mono, decoded exactly as by ``meetra analyze``."""

    folder = TemporaryDirectory(prefix="meetra-stream-", ignore_cleanup_errors=True)

    @cache
    def decoded() -> Path:
        outcome = transcode(path, Path(folder.name), MAX_S, separate=False, progress=lambda _: None)
        return Path(folder.name) / outcome.tracks[0].file

    def blocks(first_sample: int) -> Iterator[bytes]:
        with _refusals(path), decoded().open("rb") as pcm:
            pcm.seek(first_sample * 2)
            yield from _in_blocks(iter(lambda: pcm.read(READ_BYTES), b""))

    def probe() -> None:
        with _refusals(path):
            open_media(path, path).close()

    return AudioSource(Track(track_id, participant_name=participant), blocks, probe, paced=True)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Convert errors of a recording to SourceUnusable with its path."""
    if not path.is_file():
        raise SourceUnusable(f"recording not found: {path}")
    try:
        yield
    except (Refused, OSError) as error:
        raise SourceUnusable(f"{path}: {error}") from error


def standard_input(rate_hz: int, channels: int, participants: Sequence[str], *, separate: bool) -> AudioSource:
    """Return raw s16le samples from standard input. A resume continues with the next input.

    Args:
        rate_hz: samples per second.
        channels: number of interleaved channels.
        participants: names; one per channel if separate, else at most one.
        separate: each channel is a participant; otherwise all are one participant, or a mix without a name.
    """

    def blocks(_: int) -> Iterator[bytes]:
        unit_bytes, partial = 2 * channels, b""
        # The file object's own buffer would hold a lock at exit while it waits.
        while data := os.read(sys.stdin.fileno(), STDIN_BYTES):
            data = partial + data
            whole_bytes = len(data) // unit_bytes * unit_bytes
            partial = data[whole_bytes:]
            if whole_bytes:
                yield data[:whole_bytes]

    if separate:
        track = Track("call", sample_rate_hz=rate_hz, channels=channels, separate=True, channel_names=participants)
    else:
        track = Track("mix", participant_name="".join(participants), sample_rate_hz=rate_hz, channels=channels)
    return AudioSource(track, blocks, lambda: None, paced=False)


def microphone(device: str, participant: str) -> AudioSource:
    """Return an input device; the default one if ``device`` is empty. A resume continues with the live input."""

    def blocks(_: int) -> Iterator[bytes]:
        with _open_microphone(device) as container:
            to_mono = MonoResampler()
            frames = (chunk for frame in container.decode(audio=0) for chunk in to_mono(frame))
            yield from _in_blocks(to_s16(chunk).tobytes() for chunk in frames)

    def probe() -> None:
        _open_microphone(device).close()

    track = Track("mix", participant_name=participant)
    return AudioSource(track, blocks, probe, paced=False, blocks_ahead=MICROPHONE_BLOCKS_AHEAD)


def _open_microphone(device: str) -> Any:
    if ALSA_SETTINGS.is_dir():
        # PyAV's ALSA looks for its settings at its build path, which does not exist here.
        os.environ.setdefault("ALSA_CONFIG_DIR", str(ALSA_SETTINGS))
    failures = []
    for kind, name in dict.fromkeys((kind, device or default) for kind, default in MICROPHONES.get(sys.platform, [])):
        if kind in av.formats_available:
            try:
                return av.open(name, format=kind)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                failures.append(f"{kind} {name}: {getattr(error, 'strerror', None) or error}")
    raise SourceUnusable(
        f"no microphone could be opened ({'; '.join(failures) or 'no input library is available on this system'}). Name"
        " a device, such as `--mic hw:0` (`arecord -l` lists them) or `--mic :1` on a Mac, or record with another"
        " program: "
        "`arecord -t raw -f S16_LE -r 16000 -c 1 | meetra stream -`"
    )


def _in_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = int(BLOCK_S * RATE_HZ) * 2
    buffered = bytearray()
    for chunk in chunks:
        buffered += chunk
        while len(buffered) >= size:
            yield bytes(buffered[:size])
            del buffered[:size]
    if buffered:
        yield bytes(buffered)


async def read_blocks(source: AudioSource, first_sample: int) -> AsyncGenerator[bytes, None]:
    """Yield the source's blocks, read in a daemon thread. Raises what the source raises."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
    capacity = threading.Semaphore(source.blocks_ahead)
    stopped = threading.Event()

    def read() -> None:
        end: BaseException | None = None
        try:
            for block in source.blocks(first_sample):
                capacity.acquire()
                if stopped.is_set():
                    return
                loop.call_soon_threadsafe(queue.put_nowait, block)
        except BaseException as error:
            end = error
        if not stopped.is_set():
            loop.call_soon_threadsafe(queue.put_nowait, end)

    # A daemon, since a thread that waits for a pipe or microphone cannot be woken.
    threading.Thread(target=read, name=f"audio of {source.track.track_id}", daemon=True).start()
    try:
        while (block := await queue.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block
            capacity.release()
    finally:
        stopped.set()
        capacity.release()
