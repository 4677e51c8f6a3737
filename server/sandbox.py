"""Child processes for untrusted input: started fast, without secrets, and ended with all their descendants.

They are forks of one process that has imported the decoders (``server/fork_server.py``): a start takes milliseconds
instead of 0.4 s, so that whoever uploads thousands of files costs others little by it.

That process itself is started with ``subprocess`` instead of the event loop, because uvloop forks. Between fork and
exec, handlers registered by libraries (``pthread_atfork``) run in a copy of a multi-threaded process: gRPC's start
threads, which crashes one child in fifteen; OpenBLAS's end the threads in use. On Linux ``subprocess`` calls ``vfork``,
which runs no handlers and copies nothing, as long as it gets neither ``preexec_fn`` nor another user: pass neither.
Where there is no ``vfork`` (macOS), ``server/__init__.py`` disables gRPC's handlers.

The child's part, the walls around it and ending with its parent, is ``server/confinement.py``. What a child says is as
hostile as its input: believe nothing of it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import Literal

import uvloop

from server.confinement import Walls
from server.fork_server import ForkServer, ForkServerGone

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
        server: ForkServer,
        pid: int,
        stdout: asyncio.StreamReader,
        reading: asyncio.ReadTransport,
        writing: asyncio.WriteTransport | None,
    ) -> None:
        self.stdout, self.pid = stdout, pid
        self._server, self._reading, self._writing = server, reading, writing
        self._ending: asyncio.Task[int] | None = None

    @property
    def answers(self) -> bool:
        """Whether there may be more to read: standard output closes when the child ends."""
        return not self.stdout.at_eof()

    def write(self, data: bytes) -> None:
        """Queue data for the child's standard input; data for a child that has ended is dropped."""
        assert self._writing is not None
        self._writing.write(data)

    async def end(self) -> int:
        """Kill the child's session and return its exit code, negative if a signal ended it. Idempotent.

        After the end of ``stdout`` the code is the child's own, since its standard output closes when it exits.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._server.end(self.pid), name="end of a child")
            self._reading.close()
            if self._writing is not None and not self._writing.is_closing():
                self._writing.abort()
        # Takes milliseconds unless the process hangs in the kernel. The wait continues if this call is cancelled.
        return await asyncio.shield(self._ending)


_current: ForkServer | None = None


def _fork_server() -> ForkServer:
    """Return the running fork server, or start one."""
    global _current
    environment = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ} | ONE_THREAD
    if _current is not None and (not _current.running or _current.environment != environment):
        close()
    if _current is None:
        _current = ForkServer(environment)
    return _current


@atexit.register
def close() -> None:
    """End the fork server with all children, if it runs; the next child starts another one."""
    global _current
    if _current is not None:
        _current.close()
        _current = None


def pipe_end(loop: asyncio.AbstractEventLoop, descriptor: int, mode: Literal["rb", "wb"]) -> FileIO:
    """Return one end of a pipe as the file that a transport of the loop closes.

    libuv closes the descriptor of a transport, and then uvloop closes the file: the same number again, which another
    thread may have been given for a file or a connection in between.
    """
    return FileIO(descriptor, mode, closefd=not isinstance(loop, uvloop.Loop))


async def start(module: str, *arguments: str, with_stdin: bool = False) -> Child:
    """Run ``main()`` of a module in a child, which the caller must end.

    Args:
        with_stdin: give the child a standard input.

    On Linux a child ends with the thread that started the first one: call this on the event loop's thread. Raises
    OSError.
    """
    loop = asyncio.get_running_loop()
    stdout = asyncio.StreamReader(MAX_LINE_BYTES)
    with ExitStack() as closed_on_failure, ExitStack() as of_the_child:
        our_end, output = os.pipe()
        of_the_child.callback(os.close, output)
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdout), pipe_end(loop, our_end, "rb")
        )
        closed_on_failure.callback(reading.close)
        descriptors, writing = [output], None
        if with_stdin:
            given, our_end = os.pipe()
            of_the_child.callback(os.close, given)
            descriptors.append(given)
            writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, pipe_end(loop, our_end, "wb"))
            closed_on_failure.callback(writing.abort)
        server, pid = await _fork([module, *arguments], descriptors)
        closed_on_failure.pop_all()
    return Child(server, pid, stdout, reading, writing)


async def _fork(program: Sequence[str], descriptors: Sequence[int]) -> tuple[ForkServer, int]:
    """Start a program; return its fork server and its process id. One that was killed is replaced. Raises OSError."""
    server = _fork_server()
    try:
        return server, await server.start(program, descriptors)
    except ForkServerGone:
        server = _fork_server()
        return server, await server.start(program, descriptors)


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
