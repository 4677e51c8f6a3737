"""An upload that declares its size over plain HTTP is refused before its body is sent, with the reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from server.storage.pool import Database
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.recordings import excerpt
from tests.server.api.conftest import Api, running_api

pytestmark = pytest.mark.system

GIB = 1024**3


async def answer(address: str, api: Api, length: int, *extra: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and message for an upload of which a thousand bytes come, and then nothing."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = [
        "POST /single-feature-api/upload HTTP/1.1",
        f"host: {address}",
        f"authorization: {dict(api.metadata)['authorization']}",
        "content-type: audio/wav",
        f"content-length: {length}",
        *extra,
    ]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + excerpt(1)[:1000])
    async with asyncio.timeout(PATIENCE_S):
        status = int((await reader.readline()).split()[1])
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return status, headers, json.loads(body)["message"]


@pytest.mark.parametrize(
    ("limits", "status", "message", "retry"),
    [
        ({}, 413, "file: exceeds this server's limit of", False),
        ({"quota_upload_bytes_per_day": GIB}, 429, f"This organization may upload {GIB} bytes a day", True),
        ({"quota_stored_bytes": GIB}, 429, f"This organization may store {GIB} bytes", True),
        ({"memory_reserve_bytes": 2**60}, 429, "The server has too little free memory", True),
        ({"disk_reserve_bytes": 2**60}, 507, "The server's disk is full, or almost", True),
    ],
)
async def test_it_is_refused_without_its_body(
    owner: Database, database: Database, tmp_path: Path, limits: dict[str, int], status: int, message: str, retry: bool
) -> None:
    most = {"max_upload_bytes": 2 * GIB} | limits
    async with (
        running_api(owner, database, tmp_path / "audio", **most) as api,
        running_gateway(tmp_path, api.port) as address,
    ):
        # What a client states under the gateway's name for it counts for nothing.
        told, headers, said = await answer(address, api, 2 * GIB if limits else 3 * GIB, "x-content-length: 1")
    assert (told, said.startswith(message)) == (status, True), said
    assert ("retry-after" in headers) is retry
