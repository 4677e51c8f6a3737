"""``python -m health``: the word of a process, and the exit code of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc import aio

from cli.free_port import free_port
from health import ALIVE, HealthStates
from health import __main__ as command


@pytest.fixture
async def stopping() -> AsyncIterator[str]:
    """The address of a process that is alive and does not serve."""
    server = aio.server()
    states = HealthStates(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await states.start()
    await states.stop()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["health", *arguments])
    return await asyncio.to_thread(command.main)


async def test_the_exit_code_is_for_checks_of_containers(
    stopping: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [
        await run(monkeypatch, stopping, "--service", ALIVE),
        await run(monkeypatch, stopping),
        await run(monkeypatch, stopping, "--service", "unheard-of"),
        await run(monkeypatch, f"127.0.0.1:{free_port()}"),
    ]
    assert codes == [0, 1, 1, 1]
    said = capsys.readouterr().out.split("\n")
    assert said[:4] == ["SERVING", "NOT_SERVING", "no answer: NOT_FOUND", "no answer: UNAVAILABLE"]


async def test_the_gateway_of_a_whole_system_is_found_by_its_file(
    stopping: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "ready.json"
    with pytest.raises(SystemExit, match="is still starting"):
        await run(monkeypatch, "--system", str(described))
    described.write_text(json.dumps({"gateway": f"http://{stopping}"}))
    assert await run(monkeypatch, "--system", str(described), "--service", ALIVE) == 0
