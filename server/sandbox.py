"""Children for hostile input: started so that they come up, told nothing secret, ended with whatever they started.

A child is started by ``subprocess``, not by the event loop: uvloop forks. Between a fork and the new program run the
handlers that libraries registered (``pthread_atfork``), in a copy of a process that has threads. gRPC's start threads
of their own, and one child in fifteen dies of that; OpenBLAS's end the threads that somebody computes with.
``subprocess`` calls ``vfork`` on Linux, which runs no handler and copies nothing, so long as it is given no
``preexec_fn`` and no other user: give it neither. Where it has no ``vfork`` (macOS), gRPC's handlers are off by
``server/__init__.py``.

The child's half, limits and the end with its parent, is ``server/confinement.py``.
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

# Nothing of the server's secrets is the child's business.
PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")
# A longer line is no answer of ours, and must not fill our memory.
MAX_LINE_BYTES = 1024 * 1024


class Child:
    """A running child: what it says is read from ``said``, what it listens to is given to ``tell``."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        said: asyncio.StreamReader,
        reading: asyncio.ReadTransport,
        writing: asyncio.WriteTransport | None,
    ) -> None:
        self.said = said
        self.pid = process.pid
        self._process, self._reading, self._writing = process, reading, writing

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tell(self, data: bytes) -> None:
        """Writes to its standard input, now or later; what a child that has ended is told is lost."""
        assert self._writing is not None
        self._writing.write(data)

    async def end(self) -> int:
        """Kills what still runs of its session and returns its exit code, negative where a signal ended it.

        After the end of ``said`` the code is the child's own: its standard output closes when it is gone.
        Safe to repeat.
        """
        if self._process.returncode is None:
            # Not a process group of zombies alone, as macOS says by this error.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._reading.close()
        if self._writing is not None and not self._writing.is_closing():
            self._writing.abort()
        # Milliseconds, but for a process that hangs in the kernel. It goes on where this call is cancelled.
        return await asyncio.to_thread(self._process.wait)


async def start(module: str, *arguments: str, listens: bool = False) -> Child:
    """Starts ``python -m module`` as a child that its caller ends; it has a standard input only if it ``listens``.

    On Linux a child ends with the thread that started it, so call this on the event loop's.
    """
    loop = asyncio.get_running_loop()
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    process = subprocess.Popen(  # noqa: ASYNC220 - takes a millisecond; the loop's own way forks
        [sys.executable, "-m", module, *arguments],
        bufsize=0,
        stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**passed_on, PARENT: str(os.getpid())},
    )
    assert process.stdout is not None
    reading = writing = None
    try:
        said = asyncio.StreamReader(MAX_LINE_BYTES)
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), process.stdout)
        if process.stdin is not None:
            writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
    except BaseException:
        process.kill()
        process.wait()
        if reading is not None:
            reading.close()
        raise
    return Child(process, said, reading, writing)


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Child]:
    """A child that listens to nothing; ended with the context."""
    child = await start(module, *arguments)
    try:
        yield child
    finally:
        await child.end()
