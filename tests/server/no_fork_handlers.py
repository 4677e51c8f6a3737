"""Starts a child in each way that the product does, and prints how many handlers of a fork ran in this process.

``python -m tests.server.no_fork_handlers FOLDER``. Linux with glibc.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import uvloop

from cli.supervisor import Program, Supervisor
from server import sandbox

ran = 0


def before_a_fork() -> None:
    global ran
    ran += 1


async def sandboxed() -> None:
    async with sandbox.run("__hello__") as child:
        await child.stdout.read()


async def supervised(folder: Path) -> None:
    supervisor = Supervisor(folder, folder)
    await supervisor.start(Program("sleeper", ["sleep", "600"]))
    await supervisor.stop()


def main() -> None:
    handler = ctypes.CFUNCTYPE(None)(before_a_fork)
    # What pthread_atfork() calls; that itself is no symbol of glibc's shared library.
    ctypes.CDLL(None).__register_atfork(handler, None, None, None)
    uvloop.run(sandboxed())
    asyncio.run(supervised(Path(sys.argv[1])))
    subprocess.run(["true"], check=True)
    print(ran)
    if os.fork() == 0:  # to see that the handler is one
        os._exit(0)
    print(ran)


if __name__ == "__main__":
    main()
