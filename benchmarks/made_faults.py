"""Faults that are made to a running system, and taken away again: of processes, disk, database and object store."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from benchmarks.running_system import RunningSystem
from server.disk import free_bytes
from server.storage import Database
from tests.doomed_children import Doom
from tests.object_stores import ObjectServer

TOP_UP_EVERY_S = 0.5
PATIENCE_S = 300.0
# A slow store works for a tenth of the time.
HALTED_S, WORKING_S = 0.9, 0.1
MOVED_JOBS = "UPDATE jobs SET run_at = run_at + $1::interval, lease_until = lease_until + $1::interval"
MOVED_MEETINGS = (
    "UPDATE live_meetings SET lease_until = lease_until + $1::interval, watched_at = watched_at + $1::interval"
)


@dataclass
class Target:
    """A system, and what a fault needs besides."""

    system: RunningSystem
    http: httpx.AsyncClient
    """Signed in."""
    doom: Doom
    store: ObjectServer | None = None
    told: Counter[str] = field(default_factory=Counter)
    """What became of recordings that are the fault themselves."""

    @property
    def kept(self) -> Path:
        """The folder with the audio log of finished meetings, at some depth."""
        return self.system.audio if self.store is None else self.store.folder

    @property
    def processes(self) -> list[psutil.Process]:
        """PostgreSQL, all of its processes."""
        server = psutil.Process(self.system.pid("postgres"))
        return [server, *server.children(recursive=True)]


Make = Callable[[Target], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    name: str
    make: Make
    """Makes it; where it lasts, it is over when the context ends."""
    lasts: bool = False
    of: str = "system"
    """``system``; ``disk`` or ``store``: needs a data folder of its own size, or a system with an object store."""


def killed(name: str) -> Make:
    """kill -9 of a process, which the supervisor starts again."""
    return signalled(name, signal.SIGKILL)


def terminated(name: str) -> Make:
    """SIGTERM to a process."""
    return signalled(name, signal.SIGTERM)


def signalled(name: str, number: signal.Signals) -> Make:
    """A signal to a process."""

    @asynccontextmanager
    async def make(target: Target) -> AsyncIterator[None]:
        os.kill(target.system.pid(name), number)
        yield

    return make


def hung(name: str) -> Make:
    """A process stands still."""

    @asynccontextmanager
    async def make(target: Target) -> AsyncIterator[None]:
        process = psutil.Process(target.system.pid(name))
        process.suspend()
        try:
            yield
        finally:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    return make


@asynccontextmanager
async def database_hung(target: Target) -> AsyncIterator[None]:
    """All processes of PostgreSQL stand still: connections are taken, and nothing is answered."""
    processes = target.processes
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@asynccontextmanager
async def database_gone(target: Target) -> AsyncIterator[None]:
    """PostgreSQL is told to shut down immediately, and nobody starts it again until the end."""
    supervisor = target.system.up.pid
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(target.system.pid("postgres"), signal.SIGQUIT)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


@asynccontextmanager
async def disk_full(target: Target) -> AsyncIterator[None]:
    """The disk of the data folder has not a byte left: database, audio log, logs and process ids are all on it."""
    ballast = target.system.data / "ballast"

    async def fill() -> None:
        while True:
            await asyncio.to_thread(_grow, ballast, free_bytes(target.system.data))
            await asyncio.sleep(TOP_UP_EVERY_S)

    await asyncio.to_thread(_grow, ballast, free_bytes(target.system.data))
    filling = asyncio.create_task(fill())
    try:
        yield
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        ballast.unlink()


def _grow(path: Path, more: int) -> None:
    with path.open("ab") as file, suppress(OSError):
        if more:
            os.posix_fallocate(file.fileno(), file.tell(), more)


@asynccontextmanager
async def node_killed(target: Target) -> AsyncIterator[None]:
    """Every process is killed at once, and the system is started again on what is on the disk."""
    target.system.up.kill()
    await asyncio.to_thread(target.system.start_again)
    yield


@asynccontextmanager
async def store_hung(target: Target) -> AsyncIterator[None]:
    """The object store takes connections and answers nothing."""
    assert target.store is not None
    with target.store.standing_still():
        yield


@asynccontextmanager
async def store_gone(target: Target) -> AsyncIterator[None]:
    """Nobody listens where the object store was."""
    assert target.store is not None
    with target.store.gone():
        yield


@asynccontextmanager
async def store_failing(target: Target) -> AsyncIterator[None]:
    """The object store answers each request with 503."""
    assert target.store is not None
    async with target.store.failing():
        yield


@asynccontextmanager
async def store_slow(target: Target) -> AsyncIterator[None]:
    """The object store stands still for nine tenths of each second."""
    assert target.store is not None
    store = target.store

    async def halt() -> None:
        while True:
            with store.standing_still():
                await asyncio.sleep(HALTED_S)
            await asyncio.sleep(WORKING_S)

    halting = asyncio.create_task(halt())
    try:
        yield
    finally:
        halting.cancel()
        await asyncio.gather(halting, return_exceptions=True)


async def execute(target: Target, statement: str, *arguments: str) -> str:
    """Execute a statement as the superuser, once the database answers; return its status."""
    database = await Database.connect(target.system.superuser_url, patience_s=PATIENCE_S)
    try:
        return str(await database.run(lambda c: c.execute(statement, *arguments), patience_s=PATIENCE_S))
    finally:
        await database.close()


def clock_moved(by: str) -> Make:
    """The clock of the database jumps, as far as leases and delays can tell: their moments are moved by ``by`` instead.

    They are by this clock alone: no process compares its own with it.
    """

    @asynccontextmanager
    async def make(target: Target) -> AsyncIterator[None]:
        for statement in (MOVED_JOBS, MOVED_MEETINGS):
            await execute(target, statement.replace("$1", f"'{by}'"))
        yield

    return make
