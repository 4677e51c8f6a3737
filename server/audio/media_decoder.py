"""Decoding of untrusted recordings in a child process, from the server's side."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from server import sandbox
from server.audio.decoder_messages import Message, Outcome, Progress, Refusal, Stated, read_message
from server.audio.folder_files import sync_directory
from server.channels import ChannelUse
from server.disk import FULL_CODE, DiskFull, DiskReserve, detect_full_disk
from server.media import MAX_DECODED_BYTES, RATE_HZ, SAMPLE_RATE

PROBE_TIMEOUT_S = 20.0
# Seconds of silence after which a decoder counts as stuck: it reports every 30 s of audio, and decodes hundreds of
# seconds of audio per second.
STALL_TIMEOUT_S = 120.0
# In all. Whoever took over a decoder could report progress for ever.
DECODING_TIMEOUT_S = 4 * 3600.0
# An honest one reports every 30 s of audio and every 10 s; reading more would keep the server busy.
MAX_MESSAGES = 20_000
# How often a running decoder's files are looked at: it writes a gigabyte in a second at most.
LOOK_EVERY_S = 0.25
BLOCK_BYTES = 512
# Each report is a statement in the database.
PROGRESS_EVERY_S = 0.5
# A decoder may die for reasons outside the file: memory pressure, a signal. So a second one is tried.
DECODERS = 2
# Incremented when the decoded output changes: recordings that are analysed again are then decoded again.
OUTPUT_VERSION = 2
BYTES_PER_SAMPLE = 2
log = logging.getLogger(__name__)


class UnusableRecording(Exception):
    """The recording itself is at fault; the message is the reason, for people."""


class DecoderDied(Exception):
    """Every decoder died without an answer: it is unknown whether the recording is at fault."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a container states; None where it states nothing or is unreadable."""

    audio: bool | None
    duration_s: float | None
    refused: str = ""
    """Why the recording cannot be used, for people, where its header is enough to know; empty otherwise."""


@dataclass(frozen=True, slots=True)
class DecodedTrack:
    """A decoded track: s16le mono at 16 kHz, from the start of the recording."""

    path: Path
    samples: int
    index: int = 0
    """Index of the recording's channel; 0 for the mix."""
    display_name: str = ""
    """Label of the channel for people: ``channel 2``, ``track 2, channel 1``. Empty for the mix."""
    level_dbfs: float | None = None
    """Mean power of the original, dBFS; None for digital silence or a mix of several tracks."""


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A decoded recording: one mixed track, or one track per distinct channel."""

    tracks: tuple[DecodedTrack, ...]
    channel_count: int
    """Number of the recording's channels if they are kept separate, else 1."""
    damaged: bool
    """Whether parts of the recording could not be decoded and are silent."""
    remarks: tuple[str, ...] = ()
    """Further remarks: tracks that could not be decoded, and why."""

    @property
    def duration_s(self) -> float:
        """Length of the longest track, seconds."""
        return max(track.samples for track in self.tracks) / RATE_HZ


def _start_decoder(*arguments: str) -> AbstractAsyncContextManager[sandbox.Child]:
    """Start a decoder, ended with the context."""
    return sandbox.run("server.children.decode_media", *arguments)


async def _read_messages(decoder: sandbox.Child) -> AsyncIterator[Message]:
    """Yield a decoder's messages until it ends or sends something invalid. Raises UnusableRecording if it stalls."""
    until = time.monotonic() + DECODING_TIMEOUT_S
    for _ in range(MAX_MESSAGES):
        try:
            async with asyncio.timeout(min(STALL_TIMEOUT_S, until - time.monotonic())):
                line = await decoder.stdout.readline()
            yield read_message(line)
        except TimeoutError:
            raise UnusableRecording("decoding the recording took too long") from None
        except ValueError:
            return


async def probe(path: Path) -> Probe:
    """Return what the container at ``path`` states; a failed probe states nothing."""
    # OSError: no child process could be started. That is no reason to refuse the recording.
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            for _ in range(DECODERS):
                async with _start_decoder("--probe", str(path)) as decoder:
                    async for message in _read_messages(decoder):
                        if isinstance(message, Stated):
                            return Probe(message.audio, message.duration_s)
                        return _without_length(message)
    return Probe(None, None)


def _without_length(message: Message) -> Probe:
    if not isinstance(message, Refusal):
        return Probe(None, None)
    return Probe(
        False if message.error == "no_audio" else None,
        None,
        message.reason or "" if message.error == SAMPLE_RATE else "",
    )


async def decode(
    source: Path,
    target: Path,
    max_seconds: float,
    progress: Callable[[float], Awaitable[None]],
    channels: ChannelUse = ChannelUse.MIXED,
    *,
    max_bytes: int = MAX_DECODED_BYTES,
    disk: DiskReserve | None = None,
) -> DecodedAudio:
    """Decode ``source``, or reuse the result of an earlier complete run, as ``find_decoded``.

    Args:
        target: path of the mixed track; separate channels are stored beside it under derived names.
        max_seconds: maximum length, seconds.
        progress: awaited with the seconds decoded so far.
        channels: mix all channels, or keep them separate.
        max_bytes: maximum size of all decoded tracks together, bytes.
        disk: the disk of ``target``, whose reserve stays free.

    Raises:
        UnusableRecording: not media, silent, too long, too much, undecodable, or too many channels.
        DecoderDied: the decoders died without an answer.
        DiskFull: the disk has no room for the decoded audio.
    """
    if (found := find_decoded(target, channels)) is not None:
        return found
    with detect_full_disk(), _partial_folder(target.parent) as partial:
        decoding = _run_decoder(source, partial, max_seconds, progress, channels, max_bytes)
        # The mix comes on top of its tracks.
        outcome = await _watch(decoding, partial, 2 * max_bytes, disk)
        facts = {**outcome.model_dump(), "version": OUTPUT_VERSION}
        for track in facts["tracks"]:
            name = target.name if channels is ChannelUse.MIXED else _channel_file_name(target, track["place"])
            (partial / track["file"]).replace(target.with_name(name))
            track["file"] = name
        # Written last: its existence means that the audio is complete.
        _write_durably(_facts_path(target, channels), json.dumps(facts))
    return _described(target, facts)


def find_decoded(target: Path, channels: ChannelUse = ChannelUse.MIXED) -> DecodedAudio | None:
    """Return what an earlier call of ``decode`` with this target and channels made, by this version; else None."""
    facts_path = _facts_path(target, channels)
    facts: dict[str, Any] = json.loads(facts_path.read_text()) if facts_path.exists() else {}
    return _described(target, facts) if facts.get("version") == OUTPUT_VERSION else None


def _facts_path(target: Path, channels: ChannelUse) -> Path:
    return target.with_suffix(".json" if channels is ChannelUse.MIXED else ".channels.json")


def _described(target: Path, facts: dict[str, Any]) -> DecodedAudio:
    tracks = tuple(
        DecodedTrack(
            target.with_name(track["file"]), track["samples"], track["place"], track["called"], track["level_dbfs"]
        )
        for track in facts["tracks"]
    )
    return DecodedAudio(tracks, facts["places"], facts["damaged"], tuple(facts["remarks"]))


def _channel_file_name(target: Path, index: int) -> str:
    return f"{target.stem}-{index + 1}{target.suffix}"


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """Create a folder to decode into, after removing those of killed decoders."""
    for leftover in folder.glob("decoding-*"):
        if leftover.is_dir():
            rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    with TemporaryDirectory(dir=folder, prefix="decoding-", ignore_cleanup_errors=True) as partial:
        yield Path(partial)


def _write_durably(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


async def _watch(
    decoding: Coroutine[Any, Any, Outcome], folder: Path, max_bytes: int, disk: DiskReserve | None
) -> Outcome:
    """Await ``decoding``, and end it if its files outgrow ``max_bytes`` or the disk: a decoder that somebody took over
    heeds no limit of its own. Raises UnusableRecording, DiskFull.
    """
    task = asyncio.create_task(decoding, name="decoding")
    try:
        while not task.done():
            if disk is not None:
                disk.require()
            if _allocated_bytes(folder) > max_bytes:
                raise UnusableRecording("decoding the recording wrote more than this server's limit")
            await asyncio.wait({task}, timeout=LOOK_EVERY_S)
        return await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _allocated_bytes(folder: Path) -> int:
    """Return how much of the disk the files of a folder take, bytes; the silence between sounds takes nothing."""
    allocated = 0
    for entry in os.scandir(folder):
        # A decoder removes tracks that it has mixed.
        with suppress(FileNotFoundError):
            allocated += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
    return allocated


async def _run_decoder(
    source: Path,
    partial: Path,
    max_seconds: float,
    progress: Callable[[float], Awaitable[None]],
    channels: ChannelUse,
    max_bytes: int,
) -> Outcome:
    """Run a decoder into ``partial`` and return its final message. Raises UnusableRecording, DecoderDied, DiskFull."""
    limits = ("--max-seconds", str(max_seconds), "--max-bytes", str(max_bytes))
    arguments = ("--channels", channels, *limits, str(source), str(partial))
    for attempt in range(1, DECODERS + 1):
        last: Message | None = None
        reported = -math.inf
        async with _start_decoder(*arguments) as decoder:
            async for last in _read_messages(decoder):
                if isinstance(last, Progress) and time.monotonic() - reported >= PROGRESS_EVERY_S:
                    reported = time.monotonic()
                    await progress(min(last.decoded_s, max_seconds))
            code = await decoder.end()
        if isinstance(last, Refusal) and last.reason:
            raise UnusableRecording(last.reason)
        if isinstance(last, Outcome) and _take_files(last, partial, max_seconds, channels):
            return last
        if isinstance(last, Refusal) and last.error == FULL_CODE:
            raise DiskFull
        if code == -signal.SIGXCPU:
            raise UnusableRecording("decoding the recording exceeds the limit on processor time")
        exit_status = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.warning("decoder %d of %d ended without an answer (%s)", attempt, DECODERS, exit_status)
    raise DecoderDied(f"the decoder crashed twice on this recording ({exit_status}); upload it again to retry")


def _take_files(outcome: Outcome, partial: Path, max_seconds: float, channels: ChannelUse) -> bool:
    """Make the files ours; return whether they are there and of the stated lengths, and none is too long."""
    if channels is ChannelUse.MIXED and len(outcome.tracks) > 1:
        return False
    try:
        return all(
            track.samples <= (max_seconds + 1) * RATE_HZ
            and sandbox.take_back(partial / track.file) == track.samples * BYTES_PER_SAMPLE
            for track in outcome.tracks
        )
    except OSError as error:
        log.warning("a decoder's file cannot be used: %s", error)
        return False
