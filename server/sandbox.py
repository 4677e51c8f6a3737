"""Child processes for untrusted input: started reliably, without secrets, and ended with all their descendants.

Children are started with ``subprocess`` instead of the event loop, because uvloop forks. Between fork and exec,
handlers registered by libraries (``pthread_atfork``) run in a copy of a multi-threaded process: gRPC's start threads,
which crashes one child in fifteen; OpenBLAS's end the threads in use. On Linux ``subprocess`` calls ``vfork``, which
runs no handlers and copies nothing, as long as it gets neither ``preexec_fn`` nor another user: pass neither. Where
there is no ``vfork`` (macOS), ``server/__init__.py`` disables gRPC's handlers.

The child's part, the walls around it and ending with its parent, is ``server/confinement.py``. What a child says is as
hostile as its input: believe nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from server.confinement import PARENT, Walls

# The only variables passed on, which Python needs to find its files; none holds a secret.
PASSED_VARIABLES = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH")
# Libraries that compute start a thread per core with their import. Walls stand only around threads that come after
# them; and in any process, two such libraries block one another and take cores from the models.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
WALLS_TIMEOUT_S = 20.0
# A longer line is not from our programs, and must not fill the memory.
MAX_LINE_BYTES = 1024 * 1024
log = logging.getLogger(__name__)


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
        env={**environment, **ONE_THREAD, PARENT: str(os.getpid())},
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


async def log_walls() -> None:
    """Log which walls stand around children on this machine; as a warning if one is missing."""
    try:
        async with asyncio.timeout(WALLS_TIMEOUT_S), run("server.confinement") as child:
            walls = Walls(**json.loads(await child.stdout.readline()))
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        log.warning("decoder sandbox: unknown, its child gave no answer (%s)", type(error).__name__)
        return
    log.info("decoder sandbox: %s", walls)
    for wall in walls.missing:
        log.warning("decoder sandbox: weaker than it could be, see SECURITY.md; %s", wall)


def take_back(path: Path) -> int:
    """Make a file that a child wrote our own again, and return its size in bytes.

    Raises OSError if it is anything but an ordinary file of one name: a link could lead to a file of ours.
    """
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        raise OSError(f"a child left something else than its file as {path.name}")
    if facts.st_uid != os.geteuid():
        os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
    return facts.st_size
