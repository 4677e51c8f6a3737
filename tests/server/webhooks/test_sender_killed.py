"""Real workers that are killed while a receiver is down, breaks, is slow and is right: every event arrives."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.database_roles import RUNTIME
from cli.postgres import PostgresServer
from privacy import write_private
from server.storage import webhooks
from server.storage.pool import Database
from tests.recordings import ROOT
from tests.server.storage.rows import make_user, ready_meeting
from tests.server.webhooks.receiver import Receiver
from tests.server.webhooks.sending import KEY, Hook

pytestmark = pytest.mark.children
MEETINGS = 12


class Workers:
    """Workers, each a process of its own, as the system runs them."""

    def __init__(self, database_url: str, folder: Path) -> None:
        write_private(folder / "webhook-keys", KEY + "\n")
        self._folder = folder
        self._environment = {
            **os.environ,
            "MEETRA_DATABASE_URL": database_url,
            "MEETRA_AUDIO_DIR": str(folder / "audio"),
            "MEETRA_INFERENCE_ADDRESS": "127.0.0.1:9",
            "MEETRA_WEBHOOK_KEYS": str(folder / "webhook-keys"),
            "MEETRA_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "MEETRA_WEBHOOK_RETRY_S": "0.1",
            "MEETRA_WEBHOOK_TIMEOUT_S": "1",
        }

    @contextmanager
    def one(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, killed with -9 at the end."""
        with (self._folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "server", "worker"]
            process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return (self._folder / "worker.log").read_text()


async def no_lease(owner: Database) -> None:
    """The lease of a worker that was killed has run out: 16 seconds later, which nobody needs to wait for."""
    await owner.run(lambda c: c.execute("UPDATE webhooks SET lease_until = NULL"))


async def test_each_event_arrives_under_its_own_id_whoever_dies(
    owner: Database, database: Database, postgres: PostgresServer, database_name: str, tmp_path: Path
) -> None:
    url = postgres.url(RUNTIME).removesuffix("/postgres") + f"/{database_name}"
    workers, receiver = Workers(url, tmp_path), Receiver()
    async with receiver.up():
        hook = await Hook.to(receiver, owner, database)
    user = await make_user(owner)
    for number in range(MEETINGS):
        await ready_meeting(database, user, f"{number:064x}")

    # Nobody is there; then it breaks.
    with workers.one():
        async with asyncio.timeout(240):
            while (await hook.row()).failures < 2:
                await asyncio.sleep(0.05)
        receiver.status = "500 No"
        async with receiver.up():
            await receiver.until(lambda: len(receiver.times) >= 2)
    # Slower than it may be: what it got before the worker died comes again.
    await no_lease(owner)
    receiver.status, receiver.delay_s = "200 OK", 0.3
    async with receiver.up():
        for killed_after in (1, 3):
            with workers.one():
                await receiver.until(lambda most=killed_after: len(receiver.accepted) >= most)  # type: ignore[misc]
            await no_lease(owner)
        # Right, at last.
        receiver.delay_s = 0.0
        with workers.one():
            rows = await hook.settled()
    assert len(rows) == MEETINGS
    assert {row.state for row in rows} == {"delivered"}, workers.log
    assert set(receiver.accepted) == {str(row.event_id) for row in rows}
    told = [body["data"]["file_hash"] for body in receiver.accepted.values()]
    assert sorted(told) == [f"{number:064x}" for number in range(MEETINGS)]
    # Within one organization, and nothing of the secret or of the URL in the log.
    assert (await hook.run(lambda c: webhooks.list_all(c, hook.organization_id)))[0].waiting == 0
    assert receiver.secret not in workers.log
    assert "hidden" not in workers.log
    assert "Traceback" not in workers.log
