"""Child processes for untrusted input: started reliably, without secrets, and ended with all their descendants.

Children are started with ``subprocess`` instead of the event loop, because uvloop forks. Between fork and exec,
handlers registered by libraries (``pthread_atfork``) run in a copy of a multi-threaded process: gRPC's start threads,
which crashes one child in fifteen; OpenBLAS's end the threads in use. On Linux ``subprocess`` calls ``vfork``, which
runs no handlers and copies nothing, as long as it gets neither ``preexec_fn`` nor another user: pass neither. Where
there is no ``vfork`` (macOS), ``server/__init__.py`` disables gRPC's handlers.

The child's part, limits and ending with its parent, is ``server/confinement.py``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from server.confinement import PARENT

# The only variables passed on; none holds a secret.
PASSED_VARIABLES = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")
# A longer line is not from our programs, and must not fill the memory.
MAX_LINE_BYTES = 1024 * 1024


class Child:
    """A running child; ``stdout`` is its standard output, ``write`` writes to its standard input."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdout: asyncio.StreamReader,
        reading: asyncio.ReadTransport,
        writing: asyncio.WriteTransport | None,
    ) -> None:
        self.stdout = stdout
        self.pid = process.pid
        self._process, self._reading, self._writing = process, reading, writing

    @property
    def running(self) -> bool:
        """Whether the child has not ended."""
        return self._process.poll() is None

    def write(self, data: bytes) -> None:
        """Queue data for the child's standard input; data for a child that has ended is dropped."""
        assert self._writing is not None
        self._writing.write(data)

    async def end(self) -> int:
        """Kill the child's session and return its exit code, negative if a signal ended it. Idempotent.

        After the end of ``stdout`` the code is the child's own, since its standard output closes when it exits.
        """
        if self._process.returncode is None:
            # PermissionError: macOS reports it for a process group of zombies only.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._reading.close()
        if self._writing is not None and not self._writing.is_closing():
            self._writing.abort()
        # Takes milliseconds unless the process hangs in the kernel. The wait continues if this call is cancelled.
        return await asyncio.to_thread(self._process.wait)


async def start(module: str, *arguments: str, with_stdin: bool = False) -> Child:
    """Start ``python -m module`` as a child, which the caller must end.

    Args:
        with_stdin: give the child a standard input.

    On Linux a child ends with the thread that started it: call this on the event loop's thread.
    """
    loop = asyncio.get_running_loop()
    environment = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    process = subprocess.Popen(  # noqa: ASYNC220 - takes a millisecond; the loop's own way forks
        [sys.executable, "-m", module, *arguments],
        bufsize=0,
        stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**environment, PARENT: str(os.getpid())},
    )
    assert process.stdout is not None
    reading = writing = None
    try:
        stdout = asyncio.StreamReader(MAX_LINE_BYTES)
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), process.stdout)
        if process.stdin is not None:
            writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
    except BaseException:
        process.kill()
        process.wait()
        if reading is not None:
            reading.close()
        raise
    return Child(process, stdout, reading, writing)


@asynccontextmanager
async def run(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run a child without standard input, ended with the context."""
    child = await start(module, *arguments)
    try:
        yield child
    finally:
        await child.end()
