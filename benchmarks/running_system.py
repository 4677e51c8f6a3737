"""A whole system of our own, started for a measurement and stopped after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.circumstances import ROOT as ROOT
from benchmarks.circumstances import circumstances as circumstances
from cli.home import Home
from cli.superuser import superuser_url
from meetra_client import MeetraClient

START_TIMEOUT_S = 500
# Everybody in a measurement is of one organization, which by default leaves room for others.
ONE_ORGANIZATION = {"MEETRA_INFERENCE_ORGANIZATION_SHARE": "1", "MEETRA_LIVE_MEETINGS_PER_ORGANIZATION": "256"}


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """Where it answers, and the folder it lives in."""

    gateway: str
    email: str
    password: str
    metrics: str
    """Where the metrics of all its processes are."""
    data: Path

    def client(self) -> MeetraClient:
        """Return a client of its user, which logs in once it is entered."""
        return MeetraClient(self.gateway, email=self.email, password=self.password)

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
def running_system(settings: Mapping[str, str] | None = None, options: Sequence[str] = ()) -> Iterator[RunningSystem]:
    """A system on a fresh data folder, with settings and options of its own.

    Raises RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="meetra-bench-") as folder:
        data, ready = Path(folder, "data"), Path(folder, "ready.json")
        command = [sys.executable, "-m", "cli", "up", "--data", data, "--ready-file", ready, "--port", "0", *options]
        with Path(folder, "up.log").open("w") as out:
            environment = {**ONE_ORGANIZATION, **(settings or {}), **os.environ}
            process = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the system did not start: " + Path(folder, "up.log").read_text())
                time.sleep(0.1)
            yield RunningSystem(**json.loads(ready.read_text()), data=data)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=300)
