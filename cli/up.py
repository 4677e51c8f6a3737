"""``meetra up``: the whole system on one machine, under one supervisor."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console

from cli.account import client_of, described_account
from cli.analyze import analyze
from cli.browser import open_in_browser
from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.demo_user import ensure_demo_user
from cli.environments import of_inference, of_tools
from cli.free_port import free_port
from cli.front import DEFAULT_PORT, Front
from cli.home import DEMO_EMAIL, Home
from cli.log_rotation import keep_logs_small
from cli.monitoring import GATEWAY, MetricsSettings, MetricsUnavailable, SystemMetrics
from cli.postgres import STOP_SIGNAL, PostgresServer
from cli.server_programs import (
    INFERENCE,
    WORKER,
    api_program,
    database_connections,
    named_apis,
    numbered,
    worker_program,
)
from cli.settings import checked
from cli.supervisor import Program, Supervisor
from cli.token_keeper import TokenKeeper
from cli.welcome import announce, print_next_steps
from gateway import CERTIFICATE, KEY, LOOPBACK, GatewayLimits, GatewaySettings, TlsFiles, command, render
from monitoring import TracingUnavailable, otlp_collector
from privacy import close_new_files, log_quietly, write_private
from server.config import LogSettings, StoreSettings, TokenSettings
from server.sandbox import ONE_THREAD
from server.storage import Connection, Database, migrate

# A tenth of the weight of the others: what waits for models takes seconds, calls are answered within milliseconds.
MODELS_NICENESS = 10
START_TIMEOUT_S = 90.0
# Large models may be read from a slow disk.
MODELS_TIMEOUT_S = 600.0
MODELS_NOTICE_AFTER_S = 10.0
SAMPLE = Path(__file__).resolve().parents[1] / "sample" / "meeting.flac"
log = logging.getLogger(__name__)
T = TypeVar("T")


class CannotStart(Exception):
    """The system cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of the command."""

    data: Path
    ready_file: Path | None
    host: str
    port: int | None
    analyze: Path | None
    cors_origins: tuple[str, ...] = ()
    open_page: bool = False
    """In the user's browser, once it is served."""
    apis: int = 1
    """Processes that answer calls."""
    workers: int = 1
    """Processes that analyse recordings."""
    inference: int = 1
    """Inference servers."""


def gateway_port(host: str, wanted: int | None) -> int:
    """Return the wanted port, else 8080 or a free one. Raises CannotStart if the wanted one is taken."""
    if wanted == 0:
        return free_port()
    port = wanted or DEFAULT_PORT
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if wanted is not None:
                raise CannotStart(f"port {port} is in use ({error.strerror}); choose another with --port") from error
            return free_port()
    return port


@contextmanager
def lock_data_folder(home: Home) -> Iterator[None]:
    """Lock the data folder against a second system. Raises CannotStart."""
    with (home.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"a Meetra is already running on {home.root}; stop it, or choose another --data"
            ) from None
        yield


async def _with_database(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    database = await Database.connect(url, patience_s=START_TIMEOUT_S)
    try:
        return await database.run(work)
    finally:
        await database.close()


class System:
    """All processes of the system on one machine."""

    def __init__(self, options: UpOptions, home: Home) -> None:
        self._options = options
        self._home = home
        self._supervisor = Supervisor(home.run, home.logs)
        self._keeping: list[asyncio.Task[None]] = []
        tls = TlsFiles.checked(os.environ.get(CERTIFICATE, ""), os.environ.get(KEY, ""))
        self._limits = checked(GatewayLimits)
        self._log_format = checked(LogSettings).log_format
        try:
            self._collector = otlp_collector()
        except TracingUnavailable as error:
            raise CannotStart(str(error)) from None
        self._token_keeper = TokenKeeper(home, checked(TokenSettings))
        self._audio_store = checked(StoreSettings).audio_store
        self.front = Front(options.host, gateway_port(options.host, options.port), tls, free_port())
        self._apis = named_apis(options.apis, free_port)
        self._inference = {name: f"{LOOPBACK}:{free_port()}" for name in numbered(INFERENCE, options.inference)}
        self.gateway = f"http://{self.front.local_address}"
        self.password, self.first_run = home.secret("demo-password")
        self.metrics = SystemMetrics(checked(MetricsSettings), home.run)

    async def start(self) -> None:
        """Start all processes and wait until the system answers. Raises CannotStart."""
        home = self._home
        try:
            self.metrics.start()
        except MetricsUnavailable as error:
            raise CannotStart(str(error)) from None
        await asyncio.to_thread(self._token_keeper.tend)
        write_private(home.audio_store_file, self._audio_store + "\n")
        self._keeping = [
            asyncio.create_task(keep_logs_small(home.logs), name="log rotation"),
            asyncio.create_task(self._token_keeper.run(), name="keep token keys"),
        ]
        # First, since it needs no database and loads models for the longest time.
        for name, address in self._inference.items():
            await self._supervisor.start(self._inference_program(name, address))
        connections = database_connections(self._options.apis + self._options.workers)
        postgres = PostgresServer(home.postgres, free_port(), home.secret("database-password")[0], connections)
        await asyncio.to_thread(postgres.ensure_initialised)
        await self._supervisor.start(Program("postgres", postgres.command(), of_tools(), STOP_SIGNAL))
        passwords = {role: home.secret(f"{role}-password")[0] for role in (OWNER, RUNTIME)}
        await _with_database(postgres.url(), lambda connection: ensure_roles(connection, passwords))
        owner_url = postgres.url(OWNER, passwords[OWNER])
        write_private(home.database_url_file, owner_url)
        await migrate(owner_url)
        demo_user = await _with_database(owner_url, lambda connection: ensure_demo_user(connection, self.password))
        for program in self._programs(postgres.url(RUNTIME, passwords[RUNTIME])):
            await self._supervisor.start(program)
        for name, address in self._inference.items():
            await self._wait_until_healthy(address, name, MODELS_TIMEOUT_S)
        for api in self._apis:
            await self._wait_until_healthy(api.address.grpc, api.name)
        await self._wait_until_healthy(self.front.local_address, GATEWAY)
        if demo_user:
            # Entering logs in: the first login of whoever waits for us is answered.
            async with client_of(described_account(self.description())):
                pass

    def _inference_program(self, name: str, address: str) -> Program:
        environment = {
            "MEETRA_INFERENCE_LOG_FORMAT": self._log_format,
            **of_inference(),
            "MEETRA_INFERENCE_LISTEN": address,
            "MEETRA_INFERENCE_METRICS_LISTEN": self.metrics.listen_of(name),
            **ONE_THREAD,
        }
        return Program(name, [sys.executable, "-m", "inference"], environment, niceness=MODELS_NICENESS)

    def _programs(self, database_url: str) -> list[Program]:
        home = self._home
        both = {
            "MEETRA_DATABASE_URL": database_url,
            "MEETRA_AUDIO_DIR": str(home.audio),
            "MEETRA_INFERENCE_ADDRESS": ",".join(self._inference.values()),
            "MEETRA_WEBHOOK_KEYS": str(home.webhook_keys),
            "PYTHONUNBUFFERED": "1",
            **ONE_THREAD,
        }
        config = home.run / "envoy.yaml"
        access_log = home.logs / "access.log"
        settings = GatewaySettings(
            self.front.host,
            self.front.port,
            tuple(api.address for api in self._apis),
            access_log,
            self._options.cors_origins,
            limits=self._limits,
            tls=self.front.tls,
            token_filter=home.token_filter,
            local_port=self.front.local_port,
            collector=self._collector,
            json_log=self._log_format == "json",
            admin_socket=self.metrics.socket(GATEWAY),
        )
        config.write_text(render(settings), encoding="utf-8")
        listen_of = self.metrics.listen_of
        workers = numbered(WORKER, self._options.workers)
        return [
            *(api_program(api, both, str(home.token_keys), listen_of) for api in self._apis),
            *(worker_program(name, both, listen_of, MODELS_NICENESS) for name in workers),
            Program(GATEWAY, command(config), of_tools()),
        ]

    async def _wait_until_healthy(self, address: str, name: str, timeout_s: float = START_TIMEOUT_S) -> None:
        started = time.monotonic()
        announced = False
        async with aio.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            while True:
                try:
                    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                except aio.AioRpcError:
                    pass
                if (refusal := self._supervisor.refusal(name)) is not None:
                    raise CannotStart(refusal)
                waited_s = time.monotonic() - started
                if waited_s > timeout_s:
                    raise CannotStart(f"{name} does not respond; see {self._home.logs / name}.log")
                if name in self._inference and waited_s > MODELS_NOTICE_AFTER_S and not announced:
                    log.warning("%s is still loading its models; see %s.log", name, self._home.logs / name)
                    announced = True
                await asyncio.sleep(0.1)

    def description(self) -> dict[str, Any]:
        """Return what clients need: gateway, email and password, and where the metrics are."""
        return {
            "gateway": self.gateway,
            "email": DEMO_EMAIL,
            "password": self.password,
            "metrics": self.metrics.address,
        }

    async def stop(self) -> None:
        """Stop all processes, the gateway first and the database last."""
        self._home.ready_file.unlink(missing_ok=True)
        await self._supervisor.stop()
        await asyncio.to_thread(self.metrics.close)
        for task in self._keeping:
            task.cancel()


async def up(options: UpOptions) -> int:
    """Run the system until SIGINT or SIGTERM. Raises CannotStart, BadSettings."""
    close_new_files()
    if checked(LogSettings).log_format == "json":
        log_quietly("WARNING", process="supervisor", as_json=True)
    console = Console(soft_wrap=True)
    home = Home(options.data.resolve())
    home.prepare()
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, _stop_or_exit, stop)
    with lock_data_folder(home):
        started = time.monotonic()
        system = System(options, home)
        try:
            starting = asyncio.create_task(system.start())
            if not await _run_unless(stop, starting):
                return 0
            announce(
                console,
                system.front,
                home,
                gateway=system.gateway,
                metrics=system.metrics.address,
                seconds=time.monotonic() - started,
                new_password=system.password if system.first_run else None,
            )
            description = json.dumps(system.description())
            for path in filter(None, (home.ready_file, options.ready_file)):
                write_private(path, description + "\n")
            if options.open_page and not await asyncio.to_thread(open_in_browser, system.front.url):
                console.print(f"No browser was found: open {system.front.url} in one", highlight=False)
            if options.analyze is not None:
                account = described_account(system.description())
                job = analyze(account, [options.analyze], details={}, as_json=False, console=console)
                if not await _run_unless(stop, asyncio.create_task(job)):
                    return 0
                await print_next_steps(console, account)
            await stop.wait()
        finally:
            console.print("Stopping ...", highlight=False)
            await system.stop()
    return 0


async def _run_unless(stop: asyncio.Event, task: asyncio.Task[Any]) -> bool:
    """Await the task or ``stop``; return True if the task ended by itself, else cancel it."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    await task
    return True


def _stop_or_exit(stop: asyncio.Event) -> None:
    if stop.is_set():
        # The second Ctrl-C: the children end with us.
        os._exit(130)
    stop.set()
