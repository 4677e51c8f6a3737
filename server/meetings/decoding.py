"""Decoding in a child process, seen from the server: whatever the file does, it does to the child."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from server.meetings.audio_log import sync_directory
from server.meetings.resampling import RATE_HZ

PROBE_TIMEOUT_S = 20.0
# A decoder that says nothing for this long is stuck: it reports every 30 s of audio, and
# decodes hundreds of seconds of audio a second.
STALL_TIMEOUT_S = 120.0


class UnusableRecording(Exception):
    """The recording itself is at fault; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a container states of itself; None where it does not say or could not be read."""

    audio: bool | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A recording as signed 16-bit little-endian mono at 16 kHz."""

    path: Path
    samples: int
    damaged: bool
    """True when parts of the recording could not be decoded and were left out."""

    @property
    def duration_s(self) -> float:
        return self.samples / RATE_HZ


@asynccontextmanager
async def _decoder(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running decoder; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.meetings.decode",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        # Nothing of the server's secrets is the decoder's business.
        env={key: os.environ[key] for key in ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH") if key in os.environ},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def probe(path: Path) -> Probe:
    """What the container at ``path`` states; knows nothing rather than fails."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S), _decoder("--probe", str(path)) as process:
            assert process.stdout is not None
            said = json.loads(await process.stdout.readline() or "{}")
            await process.wait()
    except (TimeoutError, json.JSONDecodeError, OSError):
        return Probe(None, None)
    if said.get("error") == "no_audio":
        return Probe(False, None)
    return Probe(said.get("audio"), said.get("duration_s"))


async def decode(
    source: Path, target: Path, max_seconds: float, progress: Callable[[float], Awaitable[None]]
) -> DecodedAudio:
    """``source`` decoded to ``target``; reuses what an earlier run completed.

    ``progress`` is called with the seconds decoded so far.

    Raises:
        UnusableRecording: the recording is not media, has no sound, is too long or undecodable.
    """
    facts = target.with_suffix(".json")
    if (known := _completed(facts)) is not None:
        return DecodedAudio(target, known["samples"], known["damaged"])
    partial = _fresh_partial(target.parent)
    try:
        outcome = await _run(source, partial, max_seconds, progress)
        partial.replace(target)
        # The facts come last: where they are, the audio is whole.
        _write_durably(facts, json.dumps(outcome))
    finally:
        partial.unlink(missing_ok=True)
    return DecodedAudio(target, outcome["samples"], outcome["damaged"])


def _completed(facts: Path) -> dict[str, Any] | None:
    known: dict[str, Any] | None = json.loads(facts.read_text()) if facts.exists() else None
    return known


def _fresh_partial(folder: Path) -> Path:
    """A new file to decode into; what killed decoders left is removed."""
    for leftover in folder.glob("decoding-*"):
        leftover.unlink(missing_ok=True)
    descriptor, name = mkstemp(dir=folder, prefix="decoding-")
    os.close(descriptor)
    return Path(name)


def _write_durably(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


async def _run(
    source: Path, partial: Path, max_seconds: float, progress: Callable[[float], Awaitable[None]]
) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    arguments = ("--max-seconds", str(max_seconds), str(source), str(partial))
    async with _decoder(*arguments) as process:
        assert process.stdout is not None
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), STALL_TIMEOUT_S)
            except TimeoutError:
                raise UnusableRecording("the recording could not be decoded in reasonable time") from None
            if not line:
                break
            outcome = json.loads(line)
            if "decoded_s" in outcome:
                await progress(outcome["decoded_s"])
        code = await process.wait()
    if reason := outcome.get("reason"):
        raise UnusableRecording(reason)
    if "samples" not in outcome:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise UnusableRecording(f"the decoder crashed on this recording ({how})")
    return outcome
