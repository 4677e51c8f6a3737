"""``python -m gateway``: real Envoy as a process of its own, before two APIs: one is gone, one is found by its name."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from cli.free_port import free_port
from gateway.shown_keys import ask_apis
from server.storage.pool import Database
from tests.gateway.running_gateway import PATIENCE_S
from tests.server.api.conftest import running_api
from tests.server.signing import KEYS

pytestmark = pytest.mark.system
PATH = "/single-feature-api/meetings"


@asynccontextmanager
async def gateway(folder: Path, **settings: object) -> AsyncIterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """The process, what it writes to standard output, and to standard error."""
    own = {f"MEETRA_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
    out, error = folder / "out", folder / "error"
    with out.open("wb") as to_out, error.open("wb") as to_error:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway"], env={**os.environ, **own}, stdout=to_out, stderr=to_error
        )
    try:
        yield process, out, error
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def ready(port: int, process: subprocess.Popen[bytes], error: Path) -> None:
    """Wait until the probe says so."""
    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as http:
        while True:
            assert process.poll() is None, error.read_text()
            try:
                if (await http.get(f"http://127.0.0.1:{port}/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def stopped(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, PATIENCE_S)


async def test_it_serves_with_the_keys_that_the_api_tells(owner: Database, database: Database, tmp_path: Path) -> None:
    port, probe = free_port(), free_port()
    async with (
        running_api(owner, database, tmp_path) as api,
        gateway(
            tmp_path,
            port=port,
            probe_port=probe,
            # Nobody is at the first.
            api_host="127.0.0.2,localhost",
            api_port=api.port,
            api_http_port=api.http_port,
        ) as (process, out, error),
    ):
        await ready(probe, process, error)
        assert await ask_apis([api.channel]) == KEYS.current.jwks()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
            assert (await http.get(PATH, headers=dict(api.metadata))).json()["meetings"] == []
            assert (await http.get(PATH, headers={"authorization": "Bearer a.b.c"})).status_code == 401
            # By plain HTTP.
            options = await http.options("/single-feature-api/uploads", headers=dict(api.metadata))
            assert (options.status_code, options.headers["tus-resumable"]) == (204, "1.0.0")
            assert (await http.get(f"http://127.0.0.1:{probe}{PATH}")).status_code == 404
        assert await stopped(process) == 0
    logged = [json.loads(line) for line in out.read_text().splitlines()]
    called = "/meetra.v1.MeetingService/ListMeetings"
    assert [(line["path"], line["status"]) for line in logged][:2] == [(called, 200), (called, 401)]


async def test_it_is_not_ready_until_it_knows_keys(tmp_path: Path) -> None:
    keys, probe = tmp_path / "jwks.json", free_port()
    async with gateway(tmp_path, port=free_port(), probe_port=probe, token_keys=keys) as (process, _, error):
        async with asyncio.timeout(PATIENCE_S):
            while "cannot be read" not in error.read_text():
                assert process.poll() is None, error.read_text()
                await asyncio.sleep(0.05)
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(f"http://127.0.0.1:{probe}/ready")
        keys.write_text(json.dumps(KEYS.current.jwks()))
        await ready(probe, process, error)
        assert await stopped(process) == 0


async def test_settings_that_are_none_end_it_at_once(tmp_path: Path) -> None:
    async with gateway(tmp_path, port="tcp://10.0.0.1:80") as (process, _, error):
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 2
    assert error.read_text().startswith("settings: MEETRA_GATEWAY_PORT: ")
