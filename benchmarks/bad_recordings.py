"""Faults that come with a recording: its job is damaged, its decoders die. Others must not notice."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import psutil

from benchmarks.made_faults import Make, Target, execute
from benchmarks.rest_uploads import settled, upload
from tests.recordings import excerpt

RECORDING_S = 8.0


@asynccontextmanager
async def job_damaged(target: Target) -> AsyncIterator[None]:
    """The row of a waiting job holds a number that nobody can count on from."""
    data = _recording()
    worker = psutil.Process(target.system.pid("worker"))
    worker.suspend()
    try:
        file_hash, _ = await upload(target.http, data)
        damage = "UPDATE jobs SET fence = 2147483647 FROM meetings WHERE id = meeting_id AND file_hash = $1"
        damaged = await execute(target, damage, file_hash)
        assert damaged == "UPDATE 1", damaged
    finally:
        worker.resume()
    yield
    await _tell_outcomes(target, data)


def poisoned(ending: signal.Signals | None) -> Make:
    """A recording whose decoders all die by a signal or, without one, get hardly any memory."""

    @asynccontextmanager
    async def make(target: Target) -> AsyncIterator[None]:
        data = _recording()
        file_hash = hashlib.sha256(data).hexdigest()
        target.doom.poison(file_hash, ending)
        await upload(target.http, data)
        yield
        await settled(target.http, file_hash)
        target.doom.cure(file_hash)
        await _tell_outcomes(target, data)

    return make


def _recording() -> bytes:
    return excerpt(RECORDING_S, mark=str(uuid4()))


async def _tell_outcomes(target: Target, data: bytes) -> None:
    """Note what became of a recording, and of the same when it is uploaded again."""
    state = await settled(target.http, hashlib.sha256(data).hexdigest())
    target.told[f"the recording itself: {state['status']}, {state['message']}"] += 1
    file_hash, _ = await upload(target.http, data)
    target.told[f"uploaded again: {(await settled(target.http, file_hash))['status']}"] += 1
