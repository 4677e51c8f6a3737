"""An API process that is killed: what it answered is in the log, and what it was doing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from cli.database_roles import RUNTIME
from cli.free_port import free_port
from cli.postgres import PostgresServer
from server.auth import ensure_key, hash_password
from server.storage import users
from server.storage.pool import Database
from tests.server.storage.rows import HASH, make_user, ready_meeting

pytestmark = pytest.mark.children
PATIENCE_S = 300
EMAIL, PASSWORD = "org@example.org", "open sesame"


@asynccontextmanager
async def api_process(url: str, folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, aio.Channel]]:
    """The API as a process of its own."""
    address = f"127.0.0.1:{free_port()}"
    ensure_key(folder / "keys", datetime.now(UTC))
    settings = {
        "DATABASE_URL": url,
        "TOKEN_KEYS": str(folder / "keys"),
        "AUDIO_DIR": str(folder / "audio"),
        "API_LISTEN": address,
        "DISK_RESERVE_BYTES": "0",
    }
    environment = {**os.environ, **{f"MEETRA_{name}": value for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "server", "api", env=environment)
    try:
        async with aio.insecure_channel(address) as channel:
            await asyncio.wait_for(channel.channel_ready(), PATIENCE_S)
            yield process, channel
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_nothing_that_mattered_is_lost_when_the_server_is_killed(
    postgres: PostgresServer, database_name: str, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", EMAIL)
    await owner.run(lambda c: users.ensure_user(c, "Org", EMAIL, hash_password(PASSWORD)))
    for file_hash in (HASH, "b" * 64):
        await ready_meeting(database, user, file_hash)
    url = postgres.url(RUNTIME).removesuffix("/postgres") + f"/{database_name}"
    async with api_process(url, tmp_path) as (process, channel):
        meetings: Any = meetings_pb2_grpc.MeetingServiceStub(channel)
        request = auth_pb2.LoginRequest(email=EMAIL, password=PASSWORD)
        token = (await auth_pb2_grpc.AuthServiceStub(channel).Login(request, timeout=PATIENCE_S)).token
        metadata = (("authorization", f"Bearer {token}"),)
        await meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash=HASH), metadata=metadata)
        # Somebody holds the other one, so that its deletion waits in the middle.
        holding, held = asyncio.Event(), asyncio.Event()

        async def hold(connection: Any) -> None:
            await connection.execute("SELECT FROM meetings WHERE file_hash = $1 FOR UPDATE", "b" * 64)
            held.set()
            await holding.wait()

        holder = asyncio.create_task(owner.run(hold))
        await held.wait()
        call = meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash="b" * 64), metadata=metadata)
        asking = asyncio.ensure_future(call)
        async with asyncio.timeout(PATIENCE_S):
            while len(await events(owner)) < 4:
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await asyncio.gather(asking, return_exceptions=True)
        holding.set()
        await holder
    assert await events(owner) == [
        ("login", str(user.id), "OK"),
        ("delete", HASH, ""),
        ("delete", HASH, "OK"),
        ("delete", "b" * 64, ""),
    ]


async def events(owner: Database) -> list[tuple[str, str, str]]:
    """All rows of the log: action, object and status."""
    rows = await owner.run(
        lambda c: c.fetch("SELECT action, object_id, status FROM audit_events ORDER BY happened_at, id")
    )
    return [(row["action"], row["object_id"], row["status"]) for row in rows]
