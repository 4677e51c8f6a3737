"""Uploads over REST by a caller who tries again, and notes each answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from benchmarks.running_system import RunningSystem

UPLOAD, STATUS = "/single-feature-api/upload", "/single-feature-api/meeting/status"
CALL_TIMEOUT_S, PATIENCE_S = 60.0, 900.0
# Without a wish of the server's, and at most.
WAIT_S, LONGEST_WAIT_S = 1.0, 5.0
# What the same request may be answered otherwise later.
PASSING = frozenset({429, 500, 502, 503, 504, 507})


class Refused(Exception):
    """An upload was refused for good, or for longer than anybody waits."""


@asynccontextmanager
async def signed_in(system: RunningSystem) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the system's user."""
    async with httpx.AsyncClient(base_url=system.gateway, timeout=CALL_TIMEOUT_S) as http:
        body = {"email": system.email, "password": system.password}
        http.headers["authorization"] = f"Bearer {(await http.post('/api-login', json=body)).json()['token']}"
        yield http


async def upload_once(http: httpx.AsyncClient, data: bytes, name: str = "") -> httpx.Response:
    """Upload a recording; return the answer. Raises httpx.HTTPError."""
    return await http.post(UPLOAD, files={"file": ("meeting.wav", data, "audio/wav")}, data={"name": name})


async def upload(http: httpx.AsyncClient, data: bytes, name: str = "") -> tuple[str, Counter[str]]:
    """Upload a recording until it is accepted; return its hash, and the answers that were none. Raises Refused."""
    seen = Counter[str]()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        wait_s = WAIT_S
        try:
            answer = await upload_once(http, data, name)
            if answer.is_success:
                return str(answer.json()["file_hash"]), seen
            seen[f"upload {answer.status_code} {answer.headers.get('x-meetra-reason', '')}".strip()] += 1
            if answer.status_code not in PASSING:
                raise Refused(answer.text)
            wait_s = min(float(answer.headers.get("retry-after", WAIT_S)), LONGEST_WAIT_S)
        except httpx.HTTPError as error:
            seen[f"upload {type(error).__name__}"] += 1
        await asyncio.sleep(wait_s)
    raise Refused(f"for {PATIENCE_S:.0f} s: {dict(seen)}")


async def settled(http: httpx.AsyncClient, file_hash: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """Return a meeting's state once it is ready or failed, or after ``patience_s`` seconds whatever it is then."""
    until = time.monotonic() + patience_s
    state: dict[str, Any] = {"status": "unknown", "message": ""}
    while time.monotonic() < until:
        try:
            answer = await http.get(STATUS, params={"file-hash": file_hash})
            if answer.is_success:
                state = answer.json()
                if state["status"] in ("ready", "failed"):
                    break
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.2)
    return state
