"""The supervisor of all processes: starts them in order, restarts them on exit, stops them in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cli.log_lines import parse_log_line
from cli.monitoring import PROGRAM_RESTARTS, PROGRAM_UP
from privacy import open_private_log

log = logging.getLogger(__name__)
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.2, 5.0
# A process that ran this long was healthy: its next exit resets the backoff.
HEALTHY_AFTER_S = 10.0
STOP_TIMEOUT_S = 15.0
PID_RETRY_S = 0.5
# Exit code of our programs for an unusable configuration: restarting does not help.
UNUSABLE_CONFIGURATION = 2
# Requests the parent-death signal in the new process, then execs the program. A `preexec_fn` would save a Python start
# (10 ms), but makes `subprocess` fork, with the problems described in server/sandbox.py.
WITH_PARENT = Path(__file__).with_name("with_parent.py")


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """All that it gets: nothing is inherited."""
    stop_signal: signal.Signals = signal.SIGTERM
    niceness: int = 0
    """On Linux; elsewhere all have the same priority."""


def _with_parent_death_signal(program: Program) -> list[str]:
    """Return the command; on Linux wrapped to get its priority, and its stop signal when this process ends."""
    if sys.platform != "linux":
        return program.command
    wishes = [int(program.stop_signal), os.getpid(), program.niceness]
    return [sys.executable, "-I", "-S", str(WITH_PARENT), *map(str, wishes), *program.command]


class Supervisor:
    """Keep programs running until stopped."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run, self._logs = run, logs
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._programs: list[Program] = []
        self._stopping = False
        self._last_exit: dict[str, int] = {}

    async def start(self, program: Program) -> None:
        """Start a program and keep it running."""
        self._programs.append(program)
        # So that the first restart is seen to be one more than none.
        PROGRAM_RESTARTS.labels(program.name)
        self._write_pid(program, await self._spawn(program))
        self._watchers[program.name] = asyncio.create_task(self._watch(program), name=f"watch {program.name}")

    def refusal(self, name: str) -> str | None:
        """Return the last log line of a program that ended for its configuration; None if it did not."""
        if self._last_exit.get(name) != UNUSABLE_CONFIGURATION:
            return None
        lines = (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = parse_log_line(lines[-1]) if lines and lines[-1].startswith("{") else None
        if said is not None:
            return said.text
        return lines[-1] if lines else f"{name} exited with {UNUSABLE_CONFIGURATION} and no output"

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        with os.fdopen(open_private_log(self._logs / f"{program.name}.log"), "ab") as out:
            process = await asyncio.create_subprocess_exec(
                *_with_parent_death_signal(program),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=program.environment,
                # Ctrl-C in a terminal signals the whole group, but the supervisor stops its programs in order.
                process_group=0,
            )
        self._processes[program.name] = process
        PROGRAM_UP.labels(program.name).set(1)
        return process

    def _write_pid(self, program: Program, process: asyncio.subprocess.Process) -> None:
        # Whole or not at all: others read it at any time.
        written = self._run / f"{program.name}.pid.new"
        written.write_text(f"{process.pid}\n")
        written.replace(self._run / f"{program.name}.pid")

    async def _watch(self, program: Program) -> None:
        backoff = MIN_BACKOFF_S
        while True:
            started = time.monotonic()
            code = await self._processes[program.name].wait()
            PROGRAM_UP.labels(program.name).set(0)
            if self._stopping:
                return
            self._last_exit[program.name] = code
            if time.monotonic() - started > HEALTHY_AFTER_S:
                backoff = MIN_BACKOFF_S
            log.warning("%s exited (%s), restarting it; see %s.log", program.name, code, program.name)
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, MAX_BACKOFF_S)
            PROGRAM_RESTARTS.labels(program.name).inc()
            await self._spawn_again(program)

    async def _spawn_again(self, program: Program) -> None:
        """Start a program once it can be started, and write down its process id once that can be written.

        On a full disk neither may be possible. The program must run, and be watched, as soon as there is room.
        """
        while True:
            try:
                process = await self._spawn(program)
                break
            except OSError as error:
                log.error("%s cannot be started (%s)", program.name, error.strerror)
                await asyncio.sleep(MAX_BACKOFF_S)
        while process.returncode is None:
            try:
                self._write_pid(program, process)
                return
            except OSError as error:
                log.error("%s runs, and its process id cannot be written (%s)", program.name, error.strerror)
                await asyncio.sleep(PID_RETRY_S)

    async def stop(self) -> None:
        """Stop all programs in reverse order; kill ones that exceed the timeout."""
        self._stopping = True
        for program in reversed(self._programs):
            watcher, process = self._watchers[program.name], self._processes[program.name]
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.send_signal(program.stop_signal)
                try:
                    async with asyncio.timeout(STOP_TIMEOUT_S):
                        await process.wait()
                except TimeoutError:
                    log.warning("%s did not stop in time, killing it", program.name)
                    process.kill()
                    await process.wait()
            PROGRAM_UP.labels(program.name).set(0)
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            (self._run / f"{program.name}.pid").unlink(missing_ok=True)
