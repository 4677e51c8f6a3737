"""A whole system of our own, started for a measurement and stopped after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.circumstances import ROOT as ROOT
from benchmarks.circumstances import circumstances as circumstances
from cli.home import Home
from cli.superuser import superuser_url
from meetra_client import MeetraClient, Patience

START_TIMEOUT_S = 500
# Everybody in a measurement is of one organization, which by default leaves room for others; and what is measured is
# how late much work is told, not that it is refused.
ONE_ORGANIZATION = {
    "MEETRA_INFERENCE_ORGANIZATION_SHARE": "1",
    "MEETRA_LIVE_MEETINGS_PER_ORGANIZATION": "256",
    "MEETRA_INFERENCE_MAX_LIVE_LAG_S": "0",
}


class UpCommand:
    """``meetra up`` on a data folder: started, killed with all that it started, and started again."""

    def __init__(self, folder: Path, settings: Mapping[str, str], options: Sequence[str]) -> None:
        self._data, self._ready, self._log = folder / "data", folder / "ready.json", folder / "up.log"
        self._settings, self._options = settings, options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int = 0) -> dict[str, Any]:
        """Start it, on a free port for 0; return its description once it answers. Raises RuntimeError."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cli", "up", "--data", self._data, "--ready-file", self._ready]
        command += ["--port", port, *self._options]
        environment = {**ONE_ORGANIZATION, **self._settings, **os.environ}
        with self._log.open("a") as out:
            self._process = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the system did not start: " + self._log.read_text())
            time.sleep(0.1)
        description: dict[str, Any] = json.loads(self._ready.read_text())
        return description

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9 of the supervisor and of all that it started, at once."""
        assert self._process is not None
        # It would start the first again while the others are killed.
        self._process.send_signal(signal.SIGSTOP)
        started = psutil.Process(self._process.pid).children(recursive=True)
        for process in started:
            process.kill()
        self._process.kill()
        self._process.wait()
        psutil.wait_procs(started)

    def stop(self) -> None:
        """Stop it in order."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=300)


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """Where it answers, and the folder it lives in."""

    gateway: str
    email: str
    password: str
    metrics: str
    """Where the metrics of all its processes are."""
    data: Path
    started_by: UpCommand | None = None
    """None: something else, which looks after it."""

    @property
    def up(self) -> UpCommand:
        """The command that runs it."""
        assert self.started_by is not None
        return self.started_by

    def start_again(self) -> None:
        """Start it after ``up.kill``, where it was. Raises RuntimeError."""
        self.up.start(urlsplit(self.gateway).port or 0)

    def client(self, patience: Patience | None = None) -> MeetraClient:
        """Return a client of its user, which logs in once it is entered."""
        return MeetraClient(self.gateway, email=self.email, password=self.password, patience=patience)

    @property
    def audio(self) -> Path:
        """The folder with the audio log, where no object store has it."""
        return self.data / "audio"

    def pid(self, name: str) -> int:
        """Process id of postgres, inference, api, worker or envoy."""
        return int((self.data / "run" / f"{name}.pid").read_text())

    @property
    def database_url(self) -> str:
        """Of the owner of the tables."""
        return (self.data / "run" / "database_url").read_text().strip()

    @property
    def superuser_url(self) -> str:
        """Of the superuser, for the settings of the database server."""
        return superuser_url(Home(self.data))


@contextmanager
def running_system(
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    disk: Callable[[Path], AbstractContextManager[Any]] = nullcontext,
) -> Iterator[RunningSystem]:
    """A system on a fresh data folder, with settings and options of its own.

    Args:
        disk: mounts a disk of its own on the data folder.

    Raises RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="meetra-bench-") as name:
        folder = Path(name)
        up = UpCommand(folder, settings or {}, options)
        with disk(folder / "data"):
            try:
                yield RunningSystem(**up.start(), data=folder / "data", started_by=up)
            finally:
                up.stop()
