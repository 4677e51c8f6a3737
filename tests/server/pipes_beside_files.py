"""Opens and closes pipes under uvloop while threads open files, and prints what went wrong with those, as JSON.

python -m tests.server.pipes_beside_files PIPES
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import tempfile
import threading
from pathlib import Path

import uvloop

from server.sandbox import pipe_end

THREADS = 4


class FileUser(threading.Thread):
    """Opens a file of its own again and again, and looks whether it is that file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self.wrong, self.stop = path, set[str](), threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with self._path.open("a+b", buffering=0) as file:
                    file.seek(0)
                    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        self.wrong.add("another file")
            except OSError as error:
                self.wrong.add(repr(error))


async def use_pipes(count: int) -> None:
    """Open and close so many pipes, both ends of each."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        reading_end, writing_end = os.pipe()
        reading, _ = await loop.connect_read_pipe(asyncio.Protocol, pipe_end(loop, reading_end, "rb"))
        writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, pipe_end(loop, writing_end, "wb"))
        reading.close()
        writing.abort()
        await asyncio.sleep(0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        users = [FileUser(Path(folder, str(number))) for number in range(THREADS)]
        for user in users:
            user.start()
        uvloop.run(use_pipes(int(sys.argv[1])))
        for user in users:
            user.stop.set()
            user.join()
    print(json.dumps(sorted(set().union(*(user.wrong for user in users)))))


if __name__ == "__main__":
    main()
