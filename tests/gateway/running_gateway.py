"""Real Envoy before an API."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cli.free_port import free_port
from gateway import LOOPBACK, ApiAddress, GatewaySettings, command, render, render_token_filter
from privacy import write_private
from server.auth import KeySet

PATIENCE_S = 300


@asynccontextmanager
async def running_gateway(
    folder: Path,
    api_port: int,
    *,
    keys: KeySet | None = None,
    others_too: bool = False,
    api_socket_port: int = 50052,
    api_http_port: int = 50053,
    **options: Any,
) -> AsyncIterator[str]:
    """Host and port of a gateway with these GatewaySettings, its files in ``folder``; it lets in tokens of ``keys``."""
    if keys is not None:
        options["token_filter"] = show_keys(folder, keys, others_too=others_too)
    port, config = free_port(), folder / "envoy.yaml"
    apis = (ApiAddress(LOOPBACK, api_port, api_socket_port, api_http_port),)
    config.write_text(render(GatewaySettings(LOOPBACK, port, apis, folder / "access.log", **options)))
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


def show_keys(folder: Path, keys: KeySet, *, others_too: bool = False) -> Path:
    """Have the gateway in ``folder`` let in the tokens of these keys alone, or of others too; the file that says so."""
    file = folder / "token-filter" / "filter.json"
    file.parent.mkdir(exist_ok=True)
    write_private(file, render_token_filter(keys.jwks(), others_too=others_too))
    return file


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
