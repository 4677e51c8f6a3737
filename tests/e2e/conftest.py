"""The whole system, started as a user starts it, and a REST client of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doomed_children import Doom
from tests.e2e import contract_table
from tests.recordings import ROOT, excerpt

# A machine may be busy with something else: what is waited for comes sooner or later, or never.
READY_TIMEOUT_S = 500
# Lines of each log shown with a failed test.
LOG_LINES = 60


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder."""
    item.add_marker("system")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Show the ends of the system's logs with a failed test: on another machine nothing else is left of it."""
    report: pytest.TestReport = (yield).get_result()
    if report.failed:
        for system in (used for used in getattr(item, "funcargs", {}).values() if isinstance(used, System)):
            for log in [system.data.with_suffix(".log"), *sorted((system.data / "logs").glob("*.log"))]:
                lines = log.read_text(errors="replace").splitlines() if log.exists() else []
                report.sections.append((f"end of {log.name}", "\n".join(lines[-LOG_LINES:])))


@dataclass
class Rest:
    """A REST client with one user's token."""

    gateway: str
    token: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.http = httpx.Client(base_url=self.gateway, headers=headers, timeout=120)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params={name.replace("_", "-"): value for name, value in query.items()})

    def upload(self, recording: bytes, **fields: str) -> httpx.Response:
        files = {"file": ("meeting.wav", recording, "audio/wav")}
        return self.http.post("/single-feature-api/upload", files=files, data=fields)

    def settled(self, file_hash: str) -> dict[str, Any]:
        """The meeting's state once it is ready or failed; calls that fail meanwhile are repeated."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                answer = self.get("/single-feature-api/meeting/status", file_hash=file_hash)
            except httpx.TransportError:
                continue
            if answer.status_code == 200 and answer.json()["status"] in ("ready", "failed"):
                state: dict[str, Any] = answer.json()
                return state
            time.sleep(0.2)
        raise AssertionError(f"{file_hash} was not settled within {READY_TIMEOUT_S} s")

    def analysed(self, recording: bytes, **fields: str) -> str:
        """Uploads a recording and waits until it is ready; its hash."""
        file_hash: str = self.upload(recording, **fields).json()["file_hash"]
        state = self.settled(file_hash)
        assert state["status"] == "ready", state
        return file_hash


@dataclass
class System:
    """A running system."""

    data: Path
    process: subprocess.Popen[bytes]
    doom: Doom
    gateway: str
    email: str
    password: str
    metrics: str
    """Where Prometheus would ask for the metrics of all processes."""

    def login(self, email: str = "", password: str = "") -> Rest:
        body = {"email": email or self.email, "password": password or self.password}
        token = httpx.post(f"{self.gateway}/api-login", json=body, timeout=30).json()["token"]
        return Rest(self.gateway, token)

    @property
    def database_url(self) -> str:
        return (self.data / "run" / "database_url").read_text().strip()

    def pid(self, name: str) -> int:
        """Of one of its processes."""
        return int((self.data / "run" / f"{name}.pid").read_text())

    def kill(self, name: str) -> None:
        """kill -9 of one of its processes."""
        os.kill(self.pid(name), signal.SIGKILL)

    @contextmanager
    def paused(self, name: str = "") -> Iterator[None]:
        """One of its processes stands still, or the supervisor, which then starts nothing again."""
        pid = self.pid(name) if name else self.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=READY_TIMEOUT_S)

    def meetra(self, *arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A command of ours on its data, or on other data."""
        command = [sys.executable, "-m", "cli", *arguments, "--data", str(data or self.data)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=READY_TIMEOUT_S)

    def add_user(self, email: str, *options: str) -> str:
        """Adds a user with options of ``meetra users add``; the password."""
        return self.meetra("users", "add", email, *options).stdout.split("password ")[1].split()[0]


def start_system(data: Path, *options: str) -> System:
    ready = data.with_suffix(".ready.json")
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "cli", "up", "--data", str(data), "--ready-file", str(ready), "--port", "0"]
    command += options
    doom = Doom(data.with_suffix(".doom"))
    environment = {
        **os.environ,
        "PYTHONPATH": doom.python_path(),
        # Receivers of webhooks in tests are on this machine.
        "MEETRA_WEBHOOK_NETWORKS": "127.0.0.0/8",
        # A slow machine opens every meeting.
        "MEETRA_INFERENCE_MAX_LIVE_LAG_S": "0",
    }
    with data.with_suffix(".log").open("ab") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not ready.exists():
        assert process.poll() is None, data.with_suffix(".log").read_text()
        assert time.monotonic() < deadline, data.with_suffix(".log").read_text()
        time.sleep(0.1)
    return System(data, process, doom, **json.loads(ready.read_text()))


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = start_system(tmp_path_factory.mktemp("system") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="package")
def rest(system: System) -> Rest:
    return system.login()


@pytest.fixture(scope="package")
def stranger(system: System) -> Rest:
    """A user of another organization."""
    # An owner, whoever came first.
    password = system.add_user("stranger@example.org", "--organization", "Elsewhere", "--role", "owner")
    return system.login("stranger@example.org", password)


@pytest.fixture(scope="package")
def meeting(rest: Rest) -> str:
    """The hash of a finished meeting of four speakers."""
    return rest.analysed(excerpt(45))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table of the contract, where its tests ran: it comes with a report, from whatever process ran them."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for name, lines in (told for report in reports for told in report.user_properties):
        if name == contract_table.TABLE:
            terminalreporter.section("REST contract")
            for line in lines:
                terminalreporter.write_line(line)
