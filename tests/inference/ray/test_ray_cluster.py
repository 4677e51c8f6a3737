"""Inference servers on a real Ray cluster of several nodes, some of which are killed under live meetings."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.free_port import free_port
from inference.ray.metrics_targets import TARGETS_PATH
from monitoring import scrape
from server.conversation import Event
from server.engine import inference_client
from server.engine.directory import ask_directory
from server.inference_addresses import parse_addresses
from server.live.source_log import TrackLog
from server.live.track_log import MeetingAudio
from tests.optional_packages import WITHOUT_RAY
from tests.recordings import ROOT
from tests.server.live.test_track_feed import (
    AFTER,
    BEFORE,
    CONFIG,
    Meeting,
    anew,
    check,
    sessions_at,
    unrevised,
)

pytest.importorskip("ray", reason=WITHOUT_RAY)
pytestmark = [
    pytest.mark.models,
    pytest.mark.children,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="the servers end with their actors on Linux alone"),
]
PATIENCE_S = 600
# Any session makes it start the second one; nothing makes it end one.
SETTINGS = {
    "MEETRA_RAY_MIN_REPLICAS": "1",
    "MEETRA_RAY_MAX_REPLICAS": "2",
    "MEETRA_RAY_CPUS": "1",
    "MEETRA_RAY_GROW_SHARE": "0.01",
    "MEETRA_RAY_SHRINK_SHARE": "0.005",
    "MEETRA_RAY_SHRINK_AFTER_S": "86400",
    # However busy the machine is, a server that works is no server that hangs.
    "MEETRA_RAY_STALL_S": "600",
    "MEETRA_INFERENCE_RECOGNISER_WORKERS": "1",
    "MEETRA_INFERENCE_MAX_SESSIONS": "16",
}


class RayNodes:
    """The nodes of the cluster."""

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        self._process = process
        started = self._read()
        self.environment = {**environment, "RAY_ADDRESS": started["address"]}
        self.processes: list[int] = started["nodes"]

    def add(self) -> None:
        """Another one joins."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        self.processes.append(self._read())

    def kill(self, number: int) -> None:
        """As if its machine lost its power: nothing of it ends in order."""
        node = psutil.Process(self.processes.pop(number))
        everything = [node, *node.children(recursive=True)]
        # Stopped first: what starts others starts none meanwhile.
        for send in (signal.SIGSTOP, signal.SIGKILL):
            for process in everything:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(send)

    def servers(self, number: int) -> dict[str, psutil.Process]:
        """The inference servers of a node, by their addresses."""
        found = {}
        for process in psutil.Process(self.processes[number]).children(recursive=True):
            # Ray ends processes of its own at any time.
            with suppress(psutil.NoSuchProcess):
                if "inference.ray.server_process" in process.cmdline():
                    found[process.environ()["MEETRA_INFERENCE_LISTEN"]] = process
        return found

    async def until_servers(self, condition: Callable[[set[str]], bool]) -> set[str]:
        """The addresses of those of all nodes, once they are as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = {address for number in range(len(self.processes)) for address in self.servers(number)}
                if condition(found):
                    return found
                await asyncio.sleep(0.2)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def nodes() -> Iterator[RayNodes]:
    # Sockets lie in it, whose paths are short.
    folder = tempfile.mkdtemp(prefix="ray")
    environment = {
        **os.environ,
        "RAY_TMPDIR": folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Else it kills servers when other programs fill the memory of the machine.
        "RAY_memory_monitor_refresh_ms": "0",
        # Nobody else of this machine gets in.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    command = [sys.executable, "-m", "tests.inference.ray.cluster_child"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield RayNodes(process, environment)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_S)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def application(nodes: RayNodes, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m inference.ray``, killed at the end of the context."""
    environment = {**nodes.environment, **SETTINGS, **settings, "MEETRA_RAY_LISTEN": f"127.0.0.1:{port}"}
    process = subprocess.Popen([sys.executable, "-m", "inference.ray"], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Directory:
    """What the application tells."""

    def __init__(self, port: int) -> None:
        self.address = f"directory://127.0.0.1:{port}"
        (self._address,) = parse_addresses(self.address)

    async def until(self, condition: Callable[[set[str]], bool]) -> set[str]:
        """The addresses that it tells, once they are as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    told = {target.target for target in await ask_directory(self._address, None)}
                except OSError:
                    told = set()
                if condition(told):
                    return told
                await asyncio.sleep(0.2)


async def told_to_prometheus(listen: str, servers: int) -> set[str]:
    """Where it is told that so many servers' metrics are, once each answers there with its own."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            groups = json.loads(await asyncio.to_thread(scrape, listen, TARGETS_PATH))
            addresses = {address for group in groups for address in group["targets"]}
            if len(addresses) == servers:
                break
            await asyncio.sleep(0.2)
    assert {group["labels"]["process"] for group in groups} == {"inference"}
    assert len({group["labels"]["ray_replica"] for group in groups}) == servers
    for address in addresses:
        assert "meetra_engine_sessions_limit" in await asyncio.to_thread(scrape, address, timeout_s=PATIENCE_S)
    return addresses


@asynccontextmanager
async def held_meeting(folder: Path) -> AsyncIterator[Meeting]:
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(1) as syncing:
        audio = MeetingAudio([TrackLog(CONFIG.tracks[0], folder / "t0.log")], folder / "holder", syncing)
        await audio.open()
        meeting = Meeting(audio)
        yield meeting
        await meeting.let_go()
        await audio.close()


async def hold_two(folder: Path, address: str, halfway: Callable[[], Awaitable[None]]) -> list[list[Event]]:
    """Two meetings at the same time: what came out of each, once nothing was told twice or otherwise."""
    async with AsyncExitStack() as stack:
        meetings = [await stack.enter_async_context(held_meeting(folder / name)) for name in ("one", "other")]
        for meeting in meetings:
            meeting.acquire_at(address)
            await meeting.append(BEFORE)
            await meeting.until(meeting.all_known)
        told = [len(meeting.events) for meeting in meetings]
        await halfway()
        for meeting, before in zip(meetings, told, strict=True):
            await meeting.append(AFTER)
            await meeting.until(meeting.all_known)
            await meeting.audio.end()
            assert anew(meeting.events[:before], meeting.events[before:]) == []
            check(meeting.events)
        results = [await asyncio.wait_for(meeting.heard(), PATIENCE_S) for meeting in meetings]
    return [unrevised(result) for result in results]


async def test_meetings_equal_the_undisturbed_ones_whatever_happens_to_the_cluster(
    nodes: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each session goes to the server with fewer, however long it takes them to tell.
    monkeypatch.setattr(inference_client, "LOAD_TIMEOUT_S", PATIENCE_S)
    port = free_port()
    directory = Directory(port)
    metrics = f"127.0.0.1:{free_port()}"
    hurt: set[str] = set()

    async def nothing() -> None:
        """Nothing happens."""

    async def sessions_on_each() -> None:
        for node in range(2):
            (address,) = nodes.servers(node)
            assert await sessions_at(address) == 1

    async def lose_a_node() -> None:
        await sessions_on_each()
        hurt.update(nodes.servers(1))
        nodes.kill(1)

    async def hang_a_server() -> None:
        servers = nodes.servers(0) | nodes.servers(1)
        address, *_ = [address for address in servers if await sessions_at(address)]
        hurt.add(address)
        servers[address].suspend()

    with application(nodes, port, MEETRA_RAY_METRICS_LISTEN=metrics):
        await directory.until(lambda told: len(told) == 1)
        undisturbed = await hold_two(tmp_path / "undisturbed", directory.address, nothing)
        # The sessions have made it start the second one, on the other node.
        await directory.until(lambda told: len(told) == 2)
        both = await told_to_prometheus(metrics, 2)
        assert await hold_two(tmp_path / "node", directory.address, lose_a_node) == undisturbed
        assert hurt.isdisjoint(await directory.until(lambda told: len(told) == 1))
        assert await told_to_prometheus(metrics, 1) < both
        # A node that joins has room for the server that was lost.
        nodes.add()
        before = await directory.until(lambda told: len(told) == 2)
        assert hurt.isdisjoint(before)
    # Its servers outlive the application, and another one takes them over.
    with application(nodes, port, MEETRA_RAY_STALL_S="30"):
        assert await directory.until(lambda told: len(told) == 2) == before
        assert await hold_two(tmp_path / "hang", directory.address, hang_a_server) == undisturbed
        await directory.until(lambda told: len(told) == 2 and hurt.isdisjoint(told))
    left = await nodes.until_servers(lambda found: len(found) == 2)
    # The next one ends at once what is too many: whether it tells of both before is a matter of moments.
    with application(nodes, port, MEETRA_RAY_SHRINK_AFTER_S="0") as process:
        kept = await nodes.until_servers(lambda found: len(found) == 1)
        assert kept < left
        await directory.until(lambda told: told == kept)
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
    stop = [sys.executable, "-m", "inference.ray", "stop"]
    await asyncio.to_thread(subprocess.run, stop, cwd=ROOT, env=nodes.environment, check=True)
    await nodes.until_servers(lambda found: not found)
