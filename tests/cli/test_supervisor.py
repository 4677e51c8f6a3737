"""Programs under the supervisor: started beside anything, stopped with it, told to stop when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.free_port import free_port
from cli.postgres import STOP_SIGNAL, PostgresServer
from cli.supervisor import WITH_PARENT, Program, Supervisor
from server.storage.pool import Database
from tests.monitoring.counting import samples
from tests.recordings import ROOT
from tests.small_disk import fill, small_disk

pytestmark = pytest.mark.children

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child that its parent is gone")
# Says where it is, and that it was told to stop.
LOYAL = (
    "import os, signal, sys, time\n"
    "def stop(*_):\n"
    "    print('stopping', flush=True)\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, stop)\n"
    "print(os.getpid(), os.getpgid(0), os.environ['TOLD'], flush=True)\n"
    "while True:\n"
    "    signal.pause()\n"
)
PATIENCE_S = 300
PROGRAM = Program("loyal", [sys.executable, "-c", LOYAL], {"TOLD": "this"})


async def logged(path: Path, lines: int = 1) -> list[str]:
    """The lines of a log, once there are so many whole ones."""
    while (text := path.read_text()).count("\n") < lines:
        await asyncio.sleep(0.01)
    return text.splitlines()


async def test_a_program_has_its_own_group_starts_again_when_it_dies_and_stops_when_told(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, tmp_path)
    await supervisor.start(PROGRAM)
    log = tmp_path / "loyal.log"
    first = (await logged(log))[0].split()
    assert first == [(tmp_path / "loyal.pid").read_text().strip(), first[0], "this"], "Ctrl-C does not reach its group"
    os.kill(int(first[0]), signal.SIGKILL)
    second = (await logged(log, 2))[1].split()
    assert second[0] != first[0]
    restarted, running = "meetra_program_restarts_total{program=loyal}", "meetra_program_up{program=loyal}"
    assert samples("meetra_program") == {restarted: 1, running: 1}
    await supervisor.stop()
    assert samples("meetra_program") == {restarted: 1, running: 0}
    assert log.read_text().splitlines()[2:] == ["stopping"]
    assert not (tmp_path / "loyal.pid").exists()


async def test_a_program_starts_again_on_a_full_disk_and_is_watched_before_its_id_can_be_written(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "run", 64, files=10) as run:
        supervisor, log, pid_file = Supervisor(run, tmp_path), tmp_path / "loyal.log", run / "loyal.pid"
        await supervisor.start(PROGRAM)
        first = (await logged(log))[0].split()[0]
        ballast = fill(run)
        os.kill(int(first), signal.SIGKILL)
        second = (await logged(log, 2))[1].split()[0]
        assert pid_file.read_text().strip() == first
        os.kill(int(second), signal.SIGKILL)
        third = (await logged(log, 3))[2].split()[0]
        for path in ballast:
            path.unlink()
        async with asyncio.timeout(PATIENCE_S):
            while pid_file.read_text().strip() != third:
                await asyncio.sleep(0.01)
        os.kill(int(third), signal.SIGKILL)
        await logged(log, 4)
        await supervisor.stop()


@on_linux
async def test_a_program_runs_at_its_priority(tmp_path: Path) -> None:
    code = "import os, signal; print(os.getpriority(os.PRIO_PROCESS, 0), flush=True); signal.pause()"
    supervisor, own = Supervisor(tmp_path, tmp_path), os.getpriority(os.PRIO_PROCESS, 0)
    await supervisor.start(Program("modest", [sys.executable, "-c", code], niceness=3))
    assert await logged(tmp_path / "modest.log") == [str(min(19, own + 3))]
    await supervisor.stop()


@contextmanager
def supervised_elsewhere(program: Program, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program under a supervisor in a process of its own; killed within the context or at its end."""
    code = (
        "import asyncio, json, pathlib, signal, sys\n"
        "from cli.supervisor import Program, Supervisor\n"
        "async def main():\n"
        "    folder, name, command, told, stop = json.loads(sys.argv[1])\n"
        "    folder, program = pathlib.Path(folder), Program(name, command, told, signal.Signals(stop))\n"
        "    await Supervisor(folder, folder).start(program)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    told = [str(folder), program.name, program.command, dict(program.environment), int(program.stop_signal)]
    (folder / f"{program.name}.log").touch()
    with subprocess.Popen([sys.executable, "-c", code, json.dumps(told)], cwd=ROOT) as supervising:
        try:
            yield supervising
        finally:
            supervising.kill()


def killed(supervising: subprocess.Popen[bytes], pid_file: Path) -> None:
    """Kills the supervisor, and returns when its program is gone."""
    program = os.pidfd_open(int(pid_file.read_text()))
    supervising.kill()
    select.select([program], [], [])
    os.close(program)


@on_linux
async def test_programs_are_told_to_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "loyal.log"
    with supervised_elsewhere(PROGRAM, tmp_path) as supervising:
        await logged(log)
        killed(supervising, tmp_path / "loyal.pid")
    assert log.read_text().splitlines()[1:] == ["stopping"]


@on_linux
async def test_the_database_stops_in_order_when_its_supervisor_is_killed_whoever_it_runs_as(tmp_path: Path) -> None:
    database = PostgresServer(tmp_path / "data", free_port(), "a password for the test")
    await asyncio.to_thread(database.ensure_initialised)
    program = Program("postgres", database.command(), stop_signal=STOP_SIGNAL)
    with supervised_elsewhere(program, tmp_path) as supervising:
        opened = await Database.connect(database.url(), patience_s=300)
        await opened.close()
        killed(supervising, tmp_path / "postgres.pid")
    assert not (tmp_path / "data" / "postmaster.pid").exists()


@on_linux
def test_a_program_whose_supervisor_is_gone_before_it_begins_is_not_started() -> None:
    stranger = "1" if os.getpid() != 1 else "2"
    command = [sys.executable, "-I", "-S", str(WITH_PARENT), "15", stranger, "0", "echo", "started"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "echo not started" in done.stderr
