"""Decoding in a child process, seen from the server: whatever the file does, it does to the child."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from server import sandbox
from server.audio.audio_log import sync_directory
from server.channels import ChannelUse
from server.disk import FULL_CODE, DiskFull, writing
from server.media import RATE_HZ

PROBE_TIMEOUT_S = 20.0
# A decoder that says nothing for this long is stuck: it reports every 30 s of audio, and
# decodes hundreds of seconds of audio a second.
STALL_TIMEOUT_S = 120.0
# A decoder that dies may have died of anything: the kernel's lack of memory, somebody's signal. A second one says more.
DECODERS = 2
# Raised when what is decoded changes: recordings that are analysed again are decoded again.
FACTS_VERSION = 2
log = logging.getLogger(__name__)


class UnusableRecording(Exception):
    """The recording itself is at fault; the message is the reason, for people."""


class DecoderDied(Exception):
    """Every decoder ended without an answer: nobody knows whether the recording is at fault."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a container states of itself; None where it does not say or could not be read."""

    audio: bool | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class DecodedTrack:
    """One track as signed 16-bit little-endian mono at 16 kHz, from the start of the recording."""

    path: Path
    samples: int
    place: int = 0
    """Which of the recording's channels it is, from 0; 0 where all are mixed."""
    called: str = ""
    """What people call the channel: ``channel 2``, ``track 2, channel 1``. Empty where all are mixed."""
    level_dbfs: float | None = None
    """Mean power as it came, in dBFS; None where it is digital silence, or several tracks were mixed."""


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A recording, decoded: one track of everything, or one for each channel that says something of its own."""

    tracks: tuple[DecodedTrack, ...]
    places: int
    """How many channels the recording has, where they are kept apart; else 1."""
    damaged: bool
    """True when parts of the recording could not be decoded and are silent."""
    remarks: tuple[str, ...] = ()
    """What else there is to say of it: tracks that could not be heard, and why."""

    @property
    def duration_s(self) -> float:
        return max(track.samples for track in self.tracks) / RATE_HZ


def _decoder(*arguments: str) -> AbstractAsyncContextManager[sandbox.Child]:
    """A running decoder, ended with the context."""
    return sandbox.running("server.children.decode_media", *arguments)


async def _messages(decoder: sandbox.Child) -> AsyncIterator[dict[str, Any]]:
    """What a decoder says, until it has ended or says what no decoder of ours would. Raises UnusableRecording."""
    while True:
        try:
            line = await asyncio.wait_for(decoder.said.readline(), STALL_TIMEOUT_S)
            message = json.loads(line)
        except TimeoutError:
            raise UnusableRecording("the recording could not be decoded in reasonable time") from None
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        yield message


async def probe(path: Path) -> Probe:
    """What the container at ``path`` states; knows nothing rather than fails."""
    # OSError: there is no child to be had now. The recording is not refused for that either.
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            for _ in range(DECODERS):
                async with _decoder("--probe", str(path)) as decoder:
                    async for said in _messages(decoder):
                        if said.get("error") == "no_audio":
                            return Probe(False, None)
                        return Probe(said.get("audio"), said.get("duration_s"))
    return Probe(None, None)


async def decode(
    source: Path,
    target: Path,
    max_seconds: float,
    progress: Callable[[float], Awaitable[None]],
    channels: ChannelUse = ChannelUse.MIXED,
) -> DecodedAudio:
    """``source`` decoded to ``target``; reuses what an earlier run completed.

    ``target`` names the mixed track; what is kept apart lies beside it, under names of its own. ``progress`` is called
    with the seconds decoded so far.

    Raises:
        UnusableRecording: the recording is not media, has no sound, is too long, undecodable, or has too many channels.
        DecoderDied: its decoders ended without an answer.
        DiskFull: there is no room for what is decoded.
    """
    facts = target.with_suffix(".json") if channels is ChannelUse.MIXED else target.with_suffix(".channels.json")
    known = _completed(facts)
    if known is None:
        with writing(), _partial_folder(target.parent) as partial:
            outcome = await _run(source, partial, max_seconds, progress, channels)
            for track in outcome["tracks"]:
                name = target.name if channels is ChannelUse.MIXED else _name_of_channel(target, track["place"])
                (partial / track["file"]).replace(target.with_name(name))
                track["file"] = name
            known = {**outcome, "version": FACTS_VERSION}
            # The facts come last: where they are, the audio is whole.
            _write_durably(facts, json.dumps(known))
    tracks = tuple(
        DecodedTrack(
            target.with_name(track["file"]), track["samples"], track["place"], track["called"], track["level_dbfs"]
        )
        for track in known["tracks"]
    )
    return DecodedAudio(tracks, known["places"], known["damaged"], tuple(known["remarks"]))


def _name_of_channel(target: Path, place: int) -> str:
    return f"{target.stem}-{place + 1}{target.suffix}"


def _completed(facts: Path) -> dict[str, Any] | None:
    """What was completed before; None as well where an earlier version of the decoder did it, by other rules."""
    known: dict[str, Any] = json.loads(facts.read_text()) if facts.exists() else {}
    return known if known.get("version") == FACTS_VERSION else None


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """A new folder to decode into; what killed decoders left is removed."""
    for leftover in folder.glob("decoding-*"):
        if leftover.is_dir():
            rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    with TemporaryDirectory(dir=folder, prefix="decoding-", ignore_cleanup_errors=True) as partial:
        yield Path(partial)


def _write_durably(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


async def _run(
    source: Path,
    partial: Path,
    max_seconds: float,
    progress: Callable[[float], Awaitable[None]],
    channels: ChannelUse,
) -> dict[str, Any]:
    """What a decoder says at last, its files in ``partial``. Raises UnusableRecording, DecoderDied, DiskFull."""
    arguments = ("--channels", channels, "--max-seconds", str(max_seconds), str(source), str(partial))
    for attempt in range(1, DECODERS + 1):
        outcome: dict[str, Any] = {}
        async with _decoder(*arguments) as decoder:
            async for outcome in _messages(decoder):
                if "decoded_s" in outcome:
                    await progress(outcome["decoded_s"])
            code = await decoder.end()
        if reason := outcome.get("reason"):
            raise UnusableRecording(reason)
        if "samples" in outcome:
            return outcome
        if outcome.get("error") == FULL_CODE:
            raise DiskFull
        if code == -signal.SIGXCPU:
            raise UnusableRecording("the recording takes more processor time to decode than it is given")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.warning("decoder %d of %d ended without an answer (%s)", attempt, DECODERS, how)
    raise DecoderDied(f"the decoder crashed twice on this recording ({how}); uploading it again tries anew")
