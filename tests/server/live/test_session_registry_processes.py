"""Two real API processes and a client: the meeting goes on whatever becomes of the process that holds it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2_grpc

from cli.database_roles import RUNTIME
from cli.free_port import free_port
from cli.postgres import PostgresServer
from meetra_client import PARTICIPANT, Event, MeetraClient, Track, Turn, TurnState
from server.auth import TokenKeys, Tokens, ensure_key
from server.storage.pool import Database
from tests.recordings import ROOT
from tests.server.live.replica_child import CountingEngine
from tests.server.storage.rows import make_user

pytestmark = pytest.mark.children
PATIENCE_S = 300
HALF_S = 8
# Whole blocks of the engine; no two of its samples in a row are the same.
PCM = (np.arange(2 * 16 * 8192) % 20_011 - 10_000).astype("<i2").tobytes()


class Apis:
    """Two API processes on one database and one audio log, behind a balancer of connections."""

    def __init__(self, database_url: str, folder: Path, engine: str) -> None:
        self.folder = folder
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._ports, self._next, self.left_out = [free_port(), free_port()], 0, set[int]()
        self.last = 0
        """To which the last connection went."""
        self._connections: set[asyncio.Task[None]] = set()
        ensure_key(folder / "keys", datetime.now(UTC))
        settings = {
            "DATABASE_URL": database_url,
            "TOKEN_KEYS": str(folder / "keys"),
            "AUDIO_DIR": str(folder / "audio"),
            "INFERENCE_ADDRESS": engine,
            "DISK_RESERVE_BYTES": "0",
            "LEASE_S": "2",
        }
        self._environment = {**os.environ, **{f"MEETRA_{name}": value for name, value in settings.items()}}

    async def start(self, number: int) -> None:
        """Start one, and wait until it serves."""
        port = self._ports[number]
        others = {f"MEETRA_API_{kind}_LISTEN": f"127.0.0.1:{free_port()}" for kind in ("SOCKET", "HTTP")}
        environment = {**self._environment, **others, "MEETRA_API_LISTEN": f"127.0.0.1:{port}"}
        with (self.folder / f"api-{number}.log").open("ab") as log:
            command = [sys.executable, "-m", "server", "api"]
            self._processes[number] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        # gRPC's own waits between tries grow to minutes.
        often = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]
        async with aio.insecure_channel(f"127.0.0.1:{port}", often) as channel, asyncio.timeout(PATIENCE_S):
            await channel.channel_ready()
        self.left_out.discard(number)

    def signal(self, number: int, sent: signal.Signals) -> None:
        """Send one a signal, and no more connections."""
        self.left_out.add(number)
        self._processes[number].send_signal(sent)

    async def wait(self, number: int) -> int:
        """Wait until one has ended; its exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self._processes[number].wait), PATIENCE_S)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the next one that is there."""
        while True:
            self._next = 1 - self._next
            if self._next not in self.left_out:
                with suppress(OSError):
                    there = await asyncio.open_connection("127.0.0.1", self._ports[self._next])
                    break
            await asyncio.sleep(0.01)
        self.last = self._next
        for one, other in ((reader, there[1]), (there[0], writer)):
            self._connections.add(task := asyncio.create_task(_copy(one, other)))
            task.add_done_callback(self._connections.discard)

    async def end(self) -> None:
        """Kill both."""
        for task in list(self._connections):
            task.cancel()
        for process in self._processes.values():
            process.kill()
            await asyncio.to_thread(process.wait)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def two_apis(database_url: str, folder: Path) -> AsyncIterator[tuple[Apis, int]]:
    """They, and the balancer's port."""
    engine = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(CountingEngine("engine"), engine)
    port = engine.add_insecure_port("127.0.0.1:0")
    await engine.start()
    apis = Apis(database_url, folder, f"127.0.0.1:{port}")
    balancer = await asyncio.start_server(apis.accept, "127.0.0.1", 0)
    try:
        await asyncio.gather(apis.start(0), apis.start(1))
        yield apis, balancer.sockets[0].getsockname()[1]
    finally:
        balancer.close()
        await apis.end()
        await engine.stop(None)


class Outcome(NamedTuple):
    """What became of a meeting."""

    status: str
    finals: list[tuple[int, int, str]]
    """Each turn that was told as final, as often as it was told."""
    ended: int
    """Exit code of the process that was disturbed."""


async def held(apis: Apis, client: MeetraClient, owner: Database, disturbance: signal.Signals | None) -> Outcome:
    """A meeting in which the process that holds it gets a signal at half time; it starts again for the next one."""
    if apis.left_out:
        await apis.start(*apis.left_out)
    events: list[Event] = []
    finals: list[tuple[int, int, str]] = []
    told, ended = asyncio.Condition(), 0

    async def listen() -> None:
        async for event in meeting.events():
            async with told:
                events.append(event)
                if isinstance(event, Turn) and event.state is TurnState.FINAL:
                    finals.append((event.start_ms, event.end_ms, event.text))
                told.notify_all()

    track = Track("ana", PARTICIPANT, participant_name="Ana")
    async with client.live(name=str(disturbance), tracks=[track]) as meeting:
        listening = asyncio.create_task(listen())
        await meeting.send("ana", PCM[: len(PCM) // 2])
        async with told, asyncio.timeout(PATIENCE_S):
            await told.wait_for(lambda: len(finals) == HALF_S - 2)
        holder = apis.last
        if disturbance is not None:
            if disturbance is signal.SIGKILL:
                # As if it were another machine's: its death shows by its lease alone.
                await owner.run(lambda c: c.execute("UPDATE live_meetings SET holder_machine = 'another'"))
            apis.signal(holder, disturbance)
        await meeting.send("ana", PCM[len(PCM) // 2 :])
        async with asyncio.timeout(PATIENCE_S):
            finished = await meeting.finish()
            await listening
    numbers = [event.event_seq for event in events]
    assert numbers == sorted(set(numbers)), "an event came twice, or out of order"
    if disturbance is signal.SIGSTOP:
        # It goes on, finds that it lost the meeting, and changes nothing.
        apis.signal(holder, signal.SIGCONT)
        apis.signal(holder, signal.SIGTERM)
    if disturbance is not None:
        ended = await apis.wait(holder)
    (path,) = apis.folder.glob(f"audio/*/*/{finished.file_hash}/track-0.log")
    assert path.read_bytes() == PCM
    return Outcome(finished.status, finals, ended)


async def test_a_meeting_equals_the_undisturbed_one_whatever_becomes_of_its_server(
    postgres: PostgresServer, database_name: str, owner: Database, tmp_path: Path
) -> None:
    url = postgres.url(RUNTIME).removesuffix("/postgres") + f"/{database_name}"
    user = await make_user(owner, "Org")
    async with two_apis(url, tmp_path) as (apis, port):
        token = Tokens(TokenKeys.in_folder(tmp_path / "keys"), 3600).issue(user.id, user.token_generation)
        async with MeetraClient(f"http://127.0.0.1:{port}", token=token, keepalive_s=2) as client:
            undisturbed = await held(apis, client, owner, None)
            assert (undisturbed.status, len(undisturbed.finals)) == ("ready", 2 * HALF_S)
            for disturbance, ended in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGSTOP, 0)):
                assert await held(apis, client, owner, disturbance) == undisturbed._replace(ended=ended), disturbance
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings WHERE status = 'ready'")) == 4
