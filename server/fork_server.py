"""The process that starts decoders (``server/children/fork_server.py``), from the server's side."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from server.confinement import PARENT

# A killed process ends within milliseconds, unless it hangs in the kernel.
FIRST_LOOK_S, LAST_LOOK_S = 0.001, 0.05
# It answers within milliseconds, at first once it has imported the decoders. One that does not is stopped or hangs.
PATIENCE_S = 60.0


class ForkServerGone(OSError):
    """The fork server has ended, and with it all its children."""


class ForkServer:
    """A running fork server. It and its children end with the thread that made it (Linux), or when it is closed."""

    def __init__(self, environment: Mapping[str, str], patience_s: float = PATIENCE_S) -> None:
        """Start it.

        Args:
            environment: all that its children know.
            patience_s: how long it may take to answer, seconds; then it is ended.
        """
        self.environment = dict(environment)
        self._control, theirs = socket.socketpair()
        self._control.settimeout(patience_s)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server.children.fork_server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                env={**environment, PARENT: str(os.getpid())},
            )
        self._answers = self._control.makefile("rb")
        # Of one thread: requests are answered one at a time.
        self._thread = ThreadPoolExecutor(1, "fork-server")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and its children. Idempotent."""
        self._process.kill()
        self._process.wait()
        self._thread.shutdown()
        self._answers.close()
        self._control.close()

    async def start(self, program: Sequence[str], descriptors: Sequence[int]) -> int:
        """Start a program; return its process id. Whoever starts one must ``end`` it.

        Args:
            program: the module's name and the arguments.
            descriptors: the standard output and, if it is to have one, the standard input.

        Raises OSError, ForkServerGone.
        """
        starting = asyncio.get_running_loop().run_in_executor(
            self._thread, self._exchange, {"start": list(program)}, descriptors
        )
        try:
            said = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The descriptors are the request's until it is sent, and the child's id comes with the answer, however
            # often this is cancelled.
            while not starting.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({starting})
            if starting.exception() is None and "pid" in starting.result():
                ending = asyncio.create_task(self.end(starting.result()["pid"]), name="end of an unwanted child")
                await asyncio.shield(ending)
            raise
        if "errno" in said:
            raise OSError(said["errno"], os.strerror(said["errno"]))
        return int(said["pid"])

    async def end(self, pid: int) -> int:
        """Kill a child and its session, and return its exit code, negative if a signal ended it. Call it once.

        A child that ended before keeps its own code.
        """
        wait_s = FIRST_LOOK_S
        while self.running:
            # Until the fork server was asked for its code, no other process can get its number.
            _kill(pid)
            try:
                said = await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, {"ended": pid})
            except ForkServerGone:
                break
            if said["code"] is not None:
                return int(said["code"])
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LAST_LOOK_S)
        return -signal.SIGKILL

    def _exchange(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        try:
            socket.send_fds(self._control, [json.dumps(request).encode() + b"\n"], descriptors)
            line = self._answers.readline()
        except OSError:  # TimeoutError, too
            line = b""
        if not line:
            self._process.kill()
            self._process.wait()
            raise ForkServerGone("the process that starts decoders has ended")
        said: dict[str, Any] = json.loads(line)
        return said


def _kill(pid: int) -> None:
    # PermissionError: macOS reports it for a process group of zombies only.
    with suppress(PermissionError):
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not begun its session
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
