"""The metrics of an API or worker process, served while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monitoring import MetricsServer, available_memory
from server.config import ServerSettings
from server.disk import free_bytes
from server.monitoring import (
    DATABASE_CONNECTIONS,
    DATABASE_CONNECTIONS_LIMIT,
    DISK_FREE,
    DISK_RESERVE,
    MEMORY_AVAILABLE,
    MEMORY_RESERVE,
)
from server.storage import Database


@contextmanager
def served_metrics(settings: ServerSettings, database: Database) -> Iterator[None]:
    """Serve the metrics of this process in this context, where the settings say so. Raises OSError."""

    def connections() -> dict[tuple[str, ...], float]:
        in_use, idle, _ = database.connections()
        return {("in_use",): in_use, ("idle",): idle}

    DATABASE_CONNECTIONS.watch(connections)
    DATABASE_CONNECTIONS_LIMIT.watch(lambda: {(): database.connections()[2]})
    DISK_FREE.watch(lambda: {(): free_bytes(settings.audio_dir)})
    DISK_RESERVE.watch(lambda: {(): settings.disk_reserve_bytes})
    MEMORY_AVAILABLE.watch(_memory)
    MEMORY_RESERVE.watch(lambda: {(): settings.memory_reserve_bytes})
    server = MetricsServer(settings.metrics_listen) if settings.metrics_listen else None
    try:
        yield
    finally:
        if server is not None:
            server.close()
        for gauge in (
            DATABASE_CONNECTIONS,
            DATABASE_CONNECTIONS_LIMIT,
            DISK_FREE,
            DISK_RESERVE,
            MEMORY_AVAILABLE,
            MEMORY_RESERVE,
        ):
            gauge.forget()


def _memory() -> dict[tuple[str, ...], float]:
    """Return what is available; nothing where that is unknown."""
    available = available_memory()
    return {} if available is None else {(): available}
