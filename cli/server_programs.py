"""The API and worker programs of ``meetra up``: one of each, or several behind the one gateway."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.environments import of_api, of_worker
from cli.supervisor import Program
from gateway import LOOPBACK, ApiAddress

API, WORKER, INFERENCE = "api", "worker", "inference"
# What each may open of PostgreSQL's connections, and what others need: commands, the supervisor, backups.
CONNECTIONS_EACH, CONNECTIONS_OF_OTHERS = 20, 40
POSTGRES_DEFAULT_CONNECTIONS = 100


@dataclass(frozen=True, slots=True)
class NamedApi:
    """An API of this machine."""

    name: str
    """Of its program, its log and its metrics."""
    address: ApiAddress


def numbered(name: str, number: int) -> list[str]:
    """Return the names of so many programs: ``api``, ``api-2``, ``api-3``."""
    return [name, *(f"{name}-{index}" for index in range(2, number + 1))]


def named_apis(number: int, free_port: Callable[[], int]) -> list[NamedApi]:
    """Return so many APIs, at free ports."""
    return [
        NamedApi(name, ApiAddress(LOOPBACK, free_port(), free_port(), free_port())) for name in numbered(API, number)
    ]


def database_connections(programs: int) -> int:
    """Return how many connections PostgreSQL must take for so many APIs and workers."""
    return max(POSTGRES_DEFAULT_CONNECTIONS, programs * CONNECTIONS_EACH + CONNECTIONS_OF_OTHERS)


def api_program(
    api: NamedApi, settings: Mapping[str, str], token_keys: str, metrics_of: Callable[[str], str]
) -> Program:
    """Return the program of an API.

    Args:
        settings: those that APIs and workers have alike.
        metrics_of: returns where the program of a name serves its metrics.
    """
    address = api.address
    environment = {
        **of_api(),
        **settings,
        "MEETRA_TOKEN_KEYS": token_keys,
        "MEETRA_API_LISTEN": f"{address.host}:{address.port}",
        "MEETRA_API_SOCKET_LISTEN": f"{address.host}:{address.socket_port}",
        "MEETRA_API_HTTP_LISTEN": f"{address.host}:{address.http_port}",
        "MEETRA_METRICS_LISTEN": metrics_of(api.name),
    }
    return Program(api.name, [sys.executable, "-m", "server", "api"], environment)


def worker_program(name: str, settings: Mapping[str, str], metrics_of: Callable[[str], str], niceness: int) -> Program:
    """Return the program of a worker. It has no key of tokens."""
    environment = {**of_worker(), **settings, "MEETRA_METRICS_LISTEN": metrics_of(name)}
    return Program(name, [sys.executable, "-m", "server", "worker"], environment, niceness=niceness)
