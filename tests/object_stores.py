"""A real S3-compatible server in a process of its own (nanio), and what may befall it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

from server.audio import ObjectStore

BUCKET, KEY, SECRET = "recordings", "the-key-of-the-tests", "the-secret-of-the-tests"
START_TIMEOUT_S = 300.0


class ObjectServer:
    """A server whose data lie in a folder. It keeps its port over a restart."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self._port = folder, port
        (folder / BUCKET).mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a client of S3 reads."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        options = ["--data-dir", str(self.folder), "--host", "127.0.0.1", "--port", str(self._port), "--no-access-log"]
        environment = {**os.environ, "NANIO_ACCESS_KEY": KEY, "NANIO_SECRET_KEY": SECRET}
        with self.folder.with_suffix(".log").open("ab") as log:
            command = [sys.executable, "-m", "nanio", "serve", *options]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, self.folder.with_suffix(".log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=5).close()
        except urllib.error.HTTPError:
            # It wants a signature.
            return True
        except OSError:
            return False
        return True

    @property
    def process(self) -> psutil.Process:
        """The one that serves now."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Killed, and started again at the end."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[None]:
        """Every request is answered 503, as overloaded stores do."""

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
            writer.close()

        with self.gone():
            async with await asyncio.start_server(refuse, "127.0.0.1", self._port):
                yield

    def fresh(self, patience_s: float = 30.0) -> ObjectStore:
        """A store without objects; the environment must have the server's variables."""
        return ObjectStore(f"s3://{BUCKET}/{uuid4().hex}", patience_s)

    def unfinished_uploads(self) -> int:
        """How many multipart uploads were begun, and neither completed nor given up."""
        return len(list((self.folder / ".nanio" / "multipart").glob("*/init.json")))

    def holds(self, marker: bytes) -> bool:
        """Whether anything on the server's disk has the bytes, in the name of a file or inside."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return any(marker in path.read_bytes() or marker in os.fsencode(path) for path in paths)
