"""All faults by name."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.bad_recordings import job_damaged, poisoned
from benchmarks.made_faults import (
    Fault,
    Make,
    Target,
    clock_moved,
    database_gone,
    database_hung,
    disk_full,
    hung,
    killed,
    node_killed,
    signalled,
    store_failing,
    store_gone,
    store_hung,
    store_slow,
    terminated,
)
from cli.postgres import STOP_SIGNAL

AHEAD, BACK = "1 hour", "30 seconds"


def in_turn(faults: Sequence[Fault], outage_s: float) -> Make:
    """One fault after another; those that last do so for ``outage_s`` seconds."""

    @asynccontextmanager
    async def make(target: Target) -> AsyncIterator[None]:
        for fault in faults:
            async with fault.make(target):
                await asyncio.sleep(outage_s if fault.lasts else 0)
        yield

    return make


FAULTS = (
    Fault("disk full", disk_full, lasts=True, of="disk"),
    Fault("database gone", database_gone, lasts=True),
    Fault("database hung", database_hung, lasts=True),
    Fault("database killed", killed("postgres")),
    Fault("store slow", store_slow, lasts=True, of="store"),
    Fault("store hung", store_hung, lasts=True, of="store"),
    Fault("store failing", store_failing, lasts=True, of="store"),
    Fault("store gone", store_gone, lasts=True, of="store"),
    Fault("inference hung", hung("inference"), lasts=True),
    Fault("inference killed", killed("inference")),
    Fault("API hung", hung("api"), lasts=True),
    Fault("API killed", killed("api")),
    Fault("worker hung", hung("worker"), lasts=True),
    Fault("worker killed", killed("worker")),
    Fault("gateway killed", killed("envoy")),
    Fault("node killed", node_killed),
    Fault("clock ahead", clock_moved(f"-{AHEAD}")),
    Fault("clock back", clock_moved(BACK)),
    Fault("damaged job", job_damaged),
    Fault("poison file", poisoned(signal.SIGSEGV)),
    Fault("decoder without memory", poisoned(None)),
    Fault("SIGTERM to the API", terminated("api")),
    Fault("SIGTERM to the worker", terminated("worker")),
    Fault("SIGTERM to inference", terminated("inference")),
    Fault("SIGTERM to the gateway", terminated("envoy")),
    # After SIGTERM it would wait for its clients, which stay.
    Fault("SIGINT to the database", signalled("postgres", STOP_SIGNAL)),
)
"""In the order in which they are made."""
