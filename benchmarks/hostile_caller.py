"""One organization at full tilt: every kind of call that it may make, as many at once as it can hold.

    python -m benchmarks.hostile_caller GATEWAY EMAIL PASSWORD SECONDS

A part of ``benchmarks.abuse``, in a process of its own. Prints how each kind of call was answered, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import secrets
import struct
import sys
import time
import wave
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx
import numpy as np

from benchmarks.recordings import RATE_HZ, sample_speech

LIVE, UPLOAD = "/single-feature-api/live", "/single-feature-api/upload"
# Concurrent callers of each kind.
UPLOADS, LOGINS, READS, MEETINGS, WATCHERS, TOKENS = 16, 16, 16, 8, 400, 16
TRACKS = 32
NICENESS = 19
ADDRESS = "203.0.113.2"


def recording(seconds: float) -> bytes:
    """Speech as WAV, with a few bytes of its own: equal recordings would be analysed once."""
    pcm = sample_speech(seconds / 60) + np.frombuffer(secrets.token_bytes(1), np.uint8)[0] % 7
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.astype("<i2").tobytes() + secrets.token_bytes(64))
    return out.getvalue()


def slow_rate_recording() -> bytes:
    """A WAV of 13 kB that claims one sample a second: hours of audio where they are decoded."""
    data = secrets.token_bytes(13_000)
    form = struct.pack("<IHHIIHH", 16, 1, 1, 1, 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    )


class HostileCaller:
    """Calls of every kind until a moment, and how they were answered."""

    def __init__(self, gateway: str, email: str, password: str, until: float) -> None:
        """``until``: of the monotonic clock, seconds."""
        self._gateway, self._email, self._password, self._until = gateway, email, password, until
        self._answers: Counter[str] = Counter()

    async def run(self) -> dict[str, int]:
        """Return the number of answers by kind of call and status."""
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=self._gateway, timeout=60, limits=limits) as http:
            http.headers["x-forwarded-for"] = ADDRESS
            body = {"email": self._email, "password": self._password}
            token = (await http.post("/api-login", json=body)).json()["token"]
            signed = {"authorization": f"Bearer {token}"}
            kinds: list[tuple[int, Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[None]]]] = [
                (UPLOADS, self._upload),
                (LOGINS, self._log_in),
                (READS, self._read),
                (TOKENS, self._guess),
                (MEETINGS, self._stream),
                (WATCHERS, self._watch),
            ]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._until - time.monotonic()):
                    await asyncio.gather(*(self._repeat(call, http, signed) for n, call in kinds for _ in range(n)))
        return dict(sorted(self._answers.items()))

    async def _repeat(
        self,
        call: Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[None]],
        http: httpx.AsyncClient,
        signed: dict[str, str],
    ) -> None:
        while True:
            try:
                await call(http, signed)
            except (httpx.HTTPError, KeyError) as error:
                self._answers[f"{call.__name__[1:]} {type(error).__name__}"] += 1
            await asyncio.sleep(0.01)

    def _count(self, kind: str, response: httpx.Response) -> None:
        self._answers[f"{kind} {response.status_code}"] += 1

    async def _upload(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        data = recording(20) if secrets.randbelow(2) else slow_rate_recording()
        response = await http.post(UPLOAD, files={"file": ("a.wav", data, "audio/wav")}, headers=signed)
        self._count("upload", response)

    async def _log_in(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        email = self._email if secrets.randbelow(2) else f"{secrets.token_hex(4)}@example.org"
        self._count("login", await http.post("/api-login", json={"email": email, "password": secrets.token_hex(8)}))

    async def _read(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        self._count("read", await http.get("/single-feature-api/meetings", headers=signed))

    async def _guess(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        token = {"authorization": f"Bearer {secrets.token_urlsafe(64)}"}
        self._count("guessed token", await http.get("/single-feature-api/meetings", headers=token))

    async def _open(self, http: httpx.AsyncClient, signed: dict[str, str]) -> dict[str, str] | None:
        tracks = [
            {
                "track_id": f"t{n}",
                "kind": "TRACK_KIND_MIXED",
                "encoding": "AUDIO_ENCODING_PCM_S16LE",
                "sample_rate_hz": 16000,
            }
            for n in range(TRACKS)
        ]
        response = await http.post(LIVE, json={"name": "Hostile", "tracks": tracks}, headers=signed)
        self._count("open meeting", response)
        return response.json()["ready"] if response.status_code == 200 else None

    async def _stream(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        """A live meeting of many tracks whose audio comes as fast as it is taken."""
        if (ready := await self._open(http, signed)) is None:
            return
        pcm, owner = sample_speech(1).astype("<i2").tobytes(), ready["owner"]
        for first in range(0, len(pcm), 64_000):
            for track in range(TRACKS):
                response = await http.post(
                    f"{LIVE}/{ready['session_id']}/audio",
                    params={"owner": owner, "track_id": f"t{track}", "first_sample": first // 2},
                    content=pcm[first : first + 64_000],
                    headers=signed,
                )
                self._count("audio", response)

    async def _watch(self, http: httpx.AsyncClient, signed: dict[str, str]) -> None:
        """A stream of events that is held open."""
        if (ready := await self._open(http, signed)) is None:
            return
        async with http.stream("GET", f"{LIVE}/{ready['session_id']}/events", headers=signed) as response:
            self._count("watch", response)
            async for _ in response.aiter_raw():
                pass


def main() -> int:
    gateway, email, password, seconds = sys.argv[1:]
    # The servers would have no part of another machine's processors either.
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(NICENESS)
    caller = HostileCaller(gateway, email, password, time.monotonic() + float(seconds))
    print(json.dumps(asyncio.run(caller.run())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
