"""The metrics of all processes of ``meetra up``, on one address for Prometheus."""

from __future__ import annotations

import logging
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from prometheus_client import Counter, Gauge
from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from monitoring import (
    MAX_SOCKET_PATH,
    METRICS_PATH,
    MetricsServer,
    ScrapeFailed,
    checked_listen,
    merge,
    own_metrics,
    scrape,
)

PROGRAM_UP = Gauge("meetra_program_up", "1 while a program runs under the supervisor, else 0.", ["program"])
PROGRAM_RESTARTS = Counter("meetra_program_restarts", "Times that a program ended and was started again.", ["program"])

DEFAULT_LISTEN = "127.0.0.1:9464"
SUPERVISOR, GATEWAY = "supervisor", "envoy"
# Of Envoy only what has happened: most of its metrics are of what it does not do here.
ENVOY_PATH = "/stats/prometheus?usedonly"
# A process that is slower is left out; Prometheus itself gives up after 10 s.
SCRAPE_TIMEOUT_S = 5.0
log = logging.getLogger(__name__)


class MetricsUnavailable(Exception):
    """The address of the settings cannot be listened on; the message says what to do."""


class MetricsSettings(BaseSettings):
    """Where ``meetra up`` serves the metrics of all processes."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_", extra="ignore", frozen=True)

    metrics_listen: Annotated[str, AfterValidator(checked_listen)] = Field(
        DEFAULT_LISTEN,
        description="listen address of the metrics of all processes, host:port or unix:PATH; empty: nowhere",
    )


class SystemMetrics:
    """Asks each process for its metrics when Prometheus asks for all of them.

    Each listens on a Unix socket that nobody else can open: Envoy's has more than metrics, it can end Envoy.

    Args:
        settings: where all of them are served.
        run: folder of the running system's files.
    """

    def __init__(self, settings: MetricsSettings, run: Path) -> None:
        self._listen = settings.metrics_listen
        self._run = run
        self._made: Path | None = None
        self._sockets = self._socket_folder() if self._listen else None
        self._programs: dict[str, str] = {}
        self._server: MetricsServer | None = None
        self._asking = ThreadPoolExecutor(8, thread_name_prefix="metrics")

    def _socket_folder(self) -> Path:
        if len(str(self._run).encode()) <= MAX_SOCKET_PATH - len("/metrics-inference.sock"):
            return self._run
        # Longer paths than some hundred bytes no system takes: a folder of ours elsewhere, 0700.
        self._made = Path(tempfile.mkdtemp(prefix="meetra-"))
        return self._made

    def socket(self, program: str) -> Path | None:
        """Return the Unix socket at which a program is to serve its metrics; None where nobody asks for them."""
        if self._sockets is None:
            return None
        path = self._sockets / f"metrics-{program}.sock"
        self._programs[program] = f"unix:{path}"
        return path

    def listen_of(self, program: str) -> str:
        """Return the setting of a program of ours for ``socket``; empty where nobody asks."""
        path = self.socket(program)
        return f"unix:{path}" if path else ""

    def start(self) -> None:
        """Serve. Raises MetricsUnavailable."""
        if not self._listen:
            return
        try:
            self._server = MetricsServer(self._listen, self.tell)
        except OSError as error:
            if self._listen != DEFAULT_LISTEN:
                reason = error.strerror or error
                raise MetricsUnavailable(
                    f"metrics cannot be served on {self._listen} ({reason}); choose another address with"
                    " MEETRA_METRICS_LISTEN, or leave it empty"
                ) from None
            # Another system of this machine has it, as with the gateway's port.
            host = DEFAULT_LISTEN.rpartition(":")[0]
            self._server = MetricsServer(f"{host}:0", self.tell)

    @property
    def address(self) -> str | None:
        """Where they are served: an URL, or ``unix:PATH``; None: nowhere."""
        if self._server is None:
            return None
        address = self._server.address
        return address if address.startswith("unix:") else f"http://{address}{METRICS_PATH}"

    def tell(self) -> bytes:
        """Return the metrics of all processes; those of one that does not answer are missing."""
        asked = {
            program: self._asking.submit(_ask, listen, ENVOY_PATH if program == GATEWAY else METRICS_PATH)
            for program, listen in self._programs.items()
        }
        found = {program: answer.result() for program, answer in asked.items()}
        told = {program: text for program, text in found.items() if text is not None}
        return merge({SUPERVISOR: own_metrics().decode(), **told}).encode()

    def close(self) -> None:
        """Stop serving, and remove what was made."""
        if self._server is not None:
            self._server.close()
        self._asking.shutdown(wait=False, cancel_futures=True)
        for listen in self._programs.values():
            Path(listen.removeprefix("unix:")).unlink(missing_ok=True)
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)


def _ask(listen: str, path: str) -> str | None:
    try:
        return scrape(listen, path, SCRAPE_TIMEOUT_S)
    except ScrapeFailed as error:
        log.info("no metrics of a process: %s", error)
        return None
