"""The process that starts decoders: it lives as long as it should, and no child is lost with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.fork_server import ForkServer, ForkServerGone
from server.sandbox import ONE_THREAD
from tests.recordings import ROOT

pytestmark = pytest.mark.children
CHILD = "tests.server.sandboxed_child"


@asynccontextmanager
async def fork_server(patience_s: float = 60.0) -> AsyncIterator[ForkServer]:
    server = ForkServer({"PYTHONPATH": os.pathsep.join(sys.path), **ONE_THREAD}, patience_s)
    try:
        yield server
    finally:
        server.close()


async def started(server: ForkServer, *program: str) -> tuple[int, str]:
    """Start a program; return its process id and its first line."""
    ours, theirs = os.pipe()
    try:
        pid = await server.start(program, [theirs])
    finally:
        os.close(theirs)
    with os.fdopen(ours) as output:
        return pid, await asyncio.to_thread(output.readline)


async def test_many_children_at_once_each_keep_their_own_code() -> None:
    async with fork_server() as server:
        begun = await asyncio.gather(*(started(server, CHILD, ("exit", "wait")[n % 2]) for n in range(10)))
        assert len({pid for pid, _ in begun}) == 10
        assert all(line.split()[0] == str(pid) for pid, line in begun)
        codes = await asyncio.gather(*(server.end(pid) for pid, _ in begun))
        # The first of each pair may be killed on its way out.
        assert set(codes[1::2]) == {-signal.SIGKILL}
        assert set(codes[::2]) <= {3, -signal.SIGKILL}


async def test_a_program_that_does_not_exist_ends_with_an_error_and_harms_no_other() -> None:
    async with fork_server() as server:
        pid, line = await started(server, "tests.server.no_such_program")
        assert line == ""
        assert await server.end(pid) == 1
        pid, line = await started(server, CHILD, "exit")
        assert line.startswith(str(pid))
        await server.end(pid)


async def test_a_killed_fork_server_is_said_and_its_children_end() -> None:
    async with fork_server() as server:
        pid, line = await started(server, CHILD, "wait")
        assert line
        server._process.kill()
        assert await asyncio.wait_for(server.end(pid), 60) == -signal.SIGKILL
        with pytest.raises(ForkServerGone):
            await started(server, CHILD, "wait")
        assert not server.running


async def test_one_that_does_not_answer_is_ended_and_holds_nobody_up() -> None:
    async with fork_server(patience_s=10) as server:
        pid, line = await started(server, CHILD, "wait")
        assert line
        server._control.settimeout(0.2)
        server._process.send_signal(signal.SIGSTOP)
        with pytest.raises(ForkServerGone):
            await started(server, CHILD, "wait")
        assert not server.running
        assert await server.end(pid) == -signal.SIGKILL


async def test_whoever_gives_up_again_and_again_while_a_child_starts_leaves_none() -> None:
    async with fork_server() as server:
        pid, _ = await started(server, CHILD, "wait")
        await server.end(pid)
        server._process.send_signal(signal.SIGSTOP)
        ours, theirs = os.pipe()
        starting = asyncio.create_task(server.start([CHILD, "wait"], [theirs]))
        for _ in range(3):
            await asyncio.sleep(0.05)
            starting.cancel()
        server._process.send_signal(signal.SIGCONT)
        with pytest.raises(asyncio.CancelledError):
            await starting
        os.close(theirs)
        with os.fdopen(ours) as output:
            # Its end comes when no child has it any more.
            await asyncio.wait_for(asyncio.to_thread(output.read), 60)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc, which Linux has")
async def test_it_has_one_thread_however_many_children_it_started() -> None:
    async with fork_server() as server:
        for _ in range(3):
            pid, _ = await started(server, CHILD, "wait")
            await server.end(pid)
        assert len(list(Path(f"/proc/{server._process.pid}/task").iterdir())) == 1


def test_it_ends_with_the_socket() -> None:
    code = (
        "from server.fork_server import ForkServer\nserver = ForkServer({})\n"
        "server._answers.close()\nserver._control.close()\nserver._process.wait()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 0
