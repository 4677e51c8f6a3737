"""Children for hostile input: they come up beside any traffic, have no secrets, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from server import sandbox
from server.confinement import PARENT
from tests.recordings import ROOT

pytestmark = pytest.mark.children

on_linux = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="needs /proc and pidfd, which Linux has")
CHILD = "tests.server.sandboxed_child"


@pytest.mark.parametrize("way", ["sandbox", "loop"])
def test_no_child_of_hundreds_dies_before_it_begins_beside_grpc_traffic(way: str) -> None:
    children = 200
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.children_beside_traffic", way, str(children)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout) == {"0": children}


@on_linux
def test_no_handler_of_a_fork_runs_whoever_starts_a_child(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.server.no_fork_handlers", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]


def test_nothing_of_the_product_forks_but_what_has_one_thread() -> None:
    forks = re.compile(r"preexec_fn\s*=|os\.fork\(|get_context\(.fork")
    of_one_thread = ROOT / "server/children/fork_server.py"
    sources = [path for room in ("server", "inference", "gateway", "clients") for path in (ROOT / room).rglob("*.py")]
    assert len(sources) > 100
    assert [path for path in sources if forks.search(path.read_text(encoding="utf-8"))] == [of_one_thread]


async def first_line(child: sandbox.Child) -> list[str]:
    return (await child.stdout.readline()).decode().split()


async def test_a_child_that_ends_keeps_its_exit_code() -> None:
    async with sandbox.run(CHILD, "exit") as child:
        await child.stdout.read()
        assert not child.answers
        assert await child.end() == 3
        assert await child.end() == 3


async def test_a_child_that_says_no_more_and_goes_on_is_killed() -> None:
    async with sandbox.run(CHILD, "mute") as child:
        await child.stdout.read()
        assert await child.end() == -signal.SIGKILL


async def test_a_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_SUMMARY_KEY", "a secret")
    async with sandbox.run(CHILD, "wait") as child:
        _, *names = await first_line(child)
    # The last two it gave to itself.
    assert set(names) <= {
        *sandbox.PASSED_VARIABLES,
        *sandbox.ONE_THREAD,
        PARENT,
        "LC_CTYPE",
        "GRPC_ENABLE_FORK_SUPPORT",
    }


async def test_an_endless_line_does_not_fill_our_memory() -> None:
    async with sandbox.run(CHILD, "endless") as child:
        with pytest.raises(ValueError, match="limit"):
            await child.stdout.readline()


@on_linux
async def test_children_leave_no_descriptor_and_no_process_behind_even_when_their_start_is_cut_short() -> None:
    async with sandbox.run(CHILD, "wait") as child:  # what the loop keeps for itself is there from now on
        await first_line(child)
    before = len(list(Path("/proc/self/fd").iterdir()))
    others = descendants()
    for steps in range(12):
        starting = asyncio.create_task(sandbox.start(CHILD, "wait", with_stdin=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await (await starting).end()
    assert descendants() == others
    # Transports close their files with the next turn of the loop.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def descendants(pid: int | None = None) -> int:
    """Return the number of our children and theirs, those included that ended and were not reaped."""
    pid = pid or os.getpid()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(1 + descendants(int(child)) for child in children)


@on_linux
@pytest.mark.children
def test_what_other_threads_opened_is_not_closed_with_a_pipe() -> None:
    program = [sys.executable, "-m", "tests.server.pipes_beside_files", "2000"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    # Where a descriptor is closed twice, libuv aborts the process as soon as it misses one of its own.
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


async def test_a_child_of_a_child_ends_with_it() -> None:
    async with sandbox.run(CHILD, "double") as child:
        pids = {int((await first_line(child))[0]) for _ in range(2)}
        (other,) = pids - {child.pid}
        watched = os.pidfd_open(other)
        await child.end()
        await asyncio.to_thread(gone, watched)


@on_linux
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    code = (
        "import asyncio\nfrom server import sandbox\n"
        "async def main():\n"
        f"    child = await sandbox.start({CHILD!r}, 'wait')\n"
        "    print((await child.stdout.readline()).decode().split()[0], flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        watched = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    gone(watched)


def gone(watched: int) -> None:
    """Returns when the process of a pidfd has ended."""
    try:
        select.select([watched], [], [])
    finally:
        os.close(watched)
