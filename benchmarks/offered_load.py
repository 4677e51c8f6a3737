"""Live meetings, uploads and light calls that come whether or not the machine can do them, and their answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.hostile_caller import recording
from benchmarks.live_load import LoadBot
from benchmarks.peak_memory import shared_out_bytes
from benchmarks.recordings import RATE_HZ
from benchmarks.running_system import RunningSystem
from benchmarks.streamed_meetings import lost_samples
from meetra_client import MeetraClient, MeetraError

UPLOAD, MEETING, MEETINGS = "/single-feature-api/upload", "/single-feature-api/meeting", "/single-feature-api/meetings"
READS = (f"{MEETING}/status", f"{MEETING}/transcription", f"{MEETING}/quality", f"{MEETING}/meeting-dynamics")
PROCESSES = ("postgres", "inference", "api", "worker", "envoy")
RECORDING_S = 30.0
# Length of a live meeting: between these, seconds.
MEETING_S = (45.0, 90.0)
# Not all callers come at the same moment, seconds.
BEGIN_WITHIN_S = 60.0
LIGHT_EVERY_S, LOOK_EVERY_S = 0.25, 2.0
# What a caller waits that is not told how long.
AGAIN_S = 5.0
# For the last of what was accepted, after the load.
COMPLETE_S = 7200.0
# Metrics of the engine, by name and label.
ENGINE = (("meetra_engine_live_lag_seconds", ""), ("meetra_engine_sessions", 'kind="live"'))


@dataclass
class Answers:
    """What was asked, and how it was answered."""

    uploads: list[str] = field(default_factory=list)
    """Hashes of the recordings that were accepted."""
    live: int = 0
    """Live meetings that were accepted."""
    live_ended: Counter[str] = field(default_factory=Counter)
    """How these ended: by their status, or the error."""
    lost_samples: int = 0
    """Of accepted live meetings: sent, and not in the audio log in their place."""
    refused: Counter[str] = field(default_factory=Counter)
    """By kind of call and reason."""
    refused_after_s: list[float] = field(default_factory=list)
    opened_after_s: list[float] = field(default_factory=list)
    light_s: list[float] = field(default_factory=list)
    light_failed: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in PROCESSES})
    """Bytes of each process with its children, every two seconds."""
    turns_s: list[float] = field(default_factory=list)
    """How late turns of live meetings were told, seconds."""
    finish_s: list[float] = field(default_factory=list)
    """From the end of a live meeting to its last event, seconds."""
    engine_lag_s: list[float] = field(default_factory=list)
    live_sessions: list[float] = field(default_factory=list)


class OfferedLoad:
    """The callers of one system."""

    def __init__(self, system: RunningSystem, http: httpx.AsyncClient, client: MeetraClient, found: Answers) -> None:
        self._system, self._http, self._client, self.found = system, http, client, found

    async def upload(self) -> str | None:
        """Upload a recording; return its hash, or None if it is refused."""
        data = await asyncio.to_thread(recording, RECORDING_S)
        began = time.monotonic()
        answer = await self._http.post(UPLOAD, files={"file": ("meeting.wav", data, "audio/wav")})
        if answer.is_success:
            return str(answer.json()["file_hash"])
        self._refused("upload", answer.headers.get("x-meetra-reason", str(answer.status_code)), began)
        return None

    async def uploads(self, per_minute: float, until: float) -> None:
        """Upload at fixed moments, whatever became of the ones before."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while per_minute and due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self._keep_upload())
                due += 60 / per_minute

    async def _keep_upload(self) -> None:
        if (file_hash := await self.upload()) is not None:
            self.found.uploads.append(file_hash)

    async def live(self, speech: NDArray[np.int16], callers: range, until: float) -> None:
        """Have callers, each of whom has a number, hold live meetings, one after the other.

        The next one begins when all of a meeting is said, not when its last event has come. Who is refused comes again
        when it is told.
        """
        async with asyncio.TaskGroup() as group:
            for number in callers:
                group.create_task(self._live(group, speech, random.Random(number), until))

    async def _live(
        self, group: asyncio.TaskGroup, speech: NDArray[np.int16], chance: random.Random, until: float
    ) -> None:
        await asyncio.sleep(chance.random() * BEGIN_WITHIN_S)
        while time.monotonic() < until:
            first = chance.randrange(len(speech) - round(MEETING_S[1] * RATE_HZ))
            pcm = speech[first : first + round(chance.uniform(*MEETING_S) * RATE_HZ)]
            bot = LoadBot(pcm)
            meeting = group.create_task(self.meeting(bot, pcm))
            spoken = asyncio.create_task(bot.spoken.wait())
            await asyncio.wait({meeting, spoken}, return_when=asyncio.FIRST_COMPLETED)
            spoken.cancel()
            if meeting.done() and (wait_s := meeting.result()) is not None:
                await asyncio.sleep(wait_s)

    async def meeting(self, bot: LoadBot, pcm: NDArray[np.int16]) -> float | None:
        """Hold a live meeting; return after how long to come again if it is refused, seconds."""
        began = time.monotonic()
        opening = asyncio.create_task(self._note_opening(bot, began))
        try:
            lags = await bot.run(self._client)
        except MeetraError as error:
            if bot.file_hash:
                self.found.live_ended[error.reason or type(error).__name__] += 1
                return None
            self._refused("live", error.reason or type(error).__name__, began)
            return error.retry_after_s or AGAIN_S
        finally:
            opening.cancel()
        self.found.live_ended[bot.status] += 1
        self.found.turns_s += lags.all_turns()
        self.found.finish_s += lags.finish
        if not bot.enough.is_set():
            self.found.lost_samples += await asyncio.to_thread(lost_samples, self._system.audio, bot.file_hash, pcm)
        return None

    async def _note_opening(self, bot: LoadBot, began: float) -> None:
        while not bot.file_hash:
            await asyncio.sleep(0.005)
        self.found.live += 1
        self.found.opened_after_s.append(time.monotonic() - began)

    def _refused(self, kind: str, reason: str, began: float) -> None:
        self.found.refused[f"{kind} {reason}"] += 1
        self.found.refused_after_s.append(time.monotonic() - began)

    async def light(self, file_hash: str, until: float, took: list[float]) -> None:
        """Read one meeting's answers and the list of meetings, again and again."""
        while time.monotonic() < until:
            for path in (*READS, MEETINGS):
                began = time.monotonic()
                answer = await self._http.get(path, params={"file-hash": file_hash} if path in READS else {})
                if answer.is_success:
                    took.append(time.monotonic() - began)
                else:
                    self.found.light_failed[str(answer.status_code)] += 1
            await asyncio.sleep(LIGHT_EVERY_S)

    async def watch(self, until: float) -> None:
        """Measure the memory of all processes, and what the engine tells of itself."""
        roots = {name: psutil.Process(self._system.pid(name)) for name in PROCESSES}
        while time.monotonic() < until:
            for name, root in roots.items():
                self.found.memory[name].append(await asyncio.to_thread(shared_out_bytes, root))
            lines = (await self._http.get(self._system.metrics)).text.splitlines()
            lag_s, sessions = (_value(lines, name, label) for name, label in ENGINE)
            self.found.engine_lag_s.append(lag_s)
            self.found.live_sessions.append(sessions)
            await asyncio.sleep(LOOK_EVERY_S)

    async def settled(self, file_hash: str) -> str:
        """Wait for a recording's end; return its status."""
        until = time.monotonic() + COMPLETE_S
        while time.monotonic() < until:
            status = (await self._http.get(READS[0], params={"file-hash": file_hash})).json().get("status", "")
            if status in ("ready", "failed"):
                return str(status)
            await asyncio.sleep(0.5)
        return "unfinished"


def _value(lines: list[str], name: str, label: str) -> float:
    found = (line for line in lines if line.startswith(name + "{") and label in line)
    return next((float(line.split()[-1]) for line in found), float("nan"))


def signed_in(system: RunningSystem) -> Any:
    """Return a REST client with the token of the system's user, to be entered."""
    body = {"email": system.email, "password": system.password}
    token = httpx.post(f"{system.gateway}/api-login", json=body, timeout=60).json()["token"]
    return httpx.AsyncClient(base_url=system.gateway, timeout=120, headers={"authorization": f"Bearer {token}"})
