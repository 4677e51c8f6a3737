"""Whether every event arrives at a receiver that is down, breaks, is slow and is right, while the worker is killed.

    python -m benchmarks.webhooks [--down-minutes 10] [--minutes 1] [--events 50] [--kill-every 45] [--json FILE]

A whole system with default settings tells a receiver of ours, which verifies each request with the Standard Webhooks
library. The receiver is down, then answers 500, then takes longer than the sender waits, then is right; in each phase
so many events happen, spread over it, and the worker is killed (-9) again and again until the last phase. Printed are
events that never arrived (0 is right), those that came more than once (the receiver knows them by their id), the
longest time from the moment at which the receiver was right to the last of what had waited, and the number of kills.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from meetra.v1 import webhooks_pb2 as pb
from meetra.v1 import webhooks_pb2_grpc

from benchmarks.running_system import RunningSystem, circumstances, running_system
from tests.server.webhooks.receiver import Receiver

SETTINGS = {"MEETRA_WEBHOOK_NETWORKS": "127.0.0.0/8"}
# Longer than the sender waits.
SLOW_S = 20.0
PATIENCE_S = 1800.0


class Run:
    """One measurement: the system, its receiver, and what happened."""

    def __init__(self, system: RunningSystem, stub: Any, receiver: Receiver, webhook_id: str) -> None:
        self._system, self._stub, self._receiver, self._id = system, stub, receiver, webhook_id
        self.events: set[str] = set()
        self.kills = 0

    async def happen(self, count: int, seconds: float) -> None:
        """Let events happen, spread over some time."""
        for _ in range(count):
            answer = await self._stub.TestWebhook(pb.TestWebhookRequest(id=self._id))
            self.events.add(answer.delivery.event_id)
            await asyncio.sleep(seconds / count)

    async def kill_worker(self, every_s: float) -> None:
        """Kill the worker again and again, until cancelled; the supervisor starts it anew."""
        while True:
            await asyncio.sleep(every_s)
            with suppress(ProcessLookupError, FileNotFoundError):
                os.kill(self._system.pid("worker"), signal.SIGKILL)
                self.kills += 1

    async def missing(self) -> int:
        """Wait for what has not arrived yet; return how many never do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self.events - set(self._receiver.accepted):
                    await asyncio.sleep(0.1)
        return len(self.events - set(self._receiver.accepted))


async def measure(system: RunningSystem, down_s: float, phase_s: float, events: int, kill_every_s: float) -> Any:
    """Run all phases; return the figures."""
    receiver = Receiver()
    async with receiver.up():
        pass
    async with system.client() as client:
        stub: Any = client.stub(webhooks_pb2_grpc.WebhookServiceStub)
        made = await stub.CreateWebhook(pb.CreateWebhookRequest(url=receiver.url))
        receiver.secret = made.secret
        run = Run(system, stub, receiver, made.webhook.id)
        killing = asyncio.create_task(run.kill_worker(kill_every_s))
        await run.happen(events, down_s)
        receiver.status = "500 Internal Server Error"
        async with receiver.up():
            await run.happen(events, phase_s)
            receiver.status, receiver.delay_s = "200 OK", SLOW_S
            await run.happen(events, phase_s)
            killing.cancel()
            # What was cut off there was accepted too late: it comes again.
            receiver.delay_s = 0.0
            right_at = time.monotonic()
            await run.happen(events, 1.0)
            missing = await run.missing()
            caught_up_s = time.monotonic() - right_at
        webhook = (await stub.GetWebhook(pb.GetWebhookRequest(id=made.webhook.id))).webhook
    return {
        "events": len(run.events),
        "missing": missing,
        "came_more_than_once": sum(count > 1 for count in receiver.times.values()),
        "requests": len(receiver.got),
        "worker_kills": run.kills,
        "caught_up_s": round(caught_up_s, 1),
        "paused": webhook.paused,
    }


def main() -> int:
    """Run the measurement; return 1 if an event is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--down-minutes", type=float, default=10.0, help="how long the receiver is down")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long it answers 500, and how long it is slow")
    parser.add_argument("--events", type=int, default=50, help="events of each phase")
    parser.add_argument("--kill-every", type=float, default=45.0, help="seconds between two kills of the worker")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    with running_system(SETTINGS) as system:
        figures = asyncio.run(
            measure(system, 60 * given.down_minutes, 60 * given.minutes, given.events, given.kill_every)
        )
    for name, value in figures.items():
        print(f"{name:<20} {value}")
    if given.json:
        given.json.write_text(json.dumps({**circumstances(), **figures}, indent=2) + "\n", encoding="utf-8")
    return 1 if figures["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
