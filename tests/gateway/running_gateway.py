"""Real Envoy before an API."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cli.up import free_port
from gateway import LOOPBACK, GatewaySettings, command, render

PATIENCE_S = 300


@asynccontextmanager
async def running_gateway(folder: Path, api_port: int, **options: Any) -> AsyncIterator[str]:
    """Host and port of a gateway with these GatewaySettings; its files are in ``folder``."""
    port, config = free_port(), folder / "envoy.yaml"
    config.write_text(render(GatewaySettings(LOOPBACK, port, LOOPBACK, api_port, folder / "access.log", **options)))
    with (folder / "envoy.log").open("w") as log:
        envoy = subprocess.Popen(command(config), stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not _listening(port):
                assert envoy.poll() is None, (folder / "envoy.log").read_text()
                await asyncio.sleep(0.1)
        yield f"{LOOPBACK}:{port}"
    finally:
        envoy.terminate()
        envoy.wait(timeout=PATIENCE_S)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
