"""Files in byte ranges: what is there, and refusals as JSON."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from server.api.ranged_file import RangedFile
from server.errors import AudioUnavailable

CONTENT = bytes(range(200))


async def asked(tmp_path: Path, wanted: str) -> httpx.Response:
    path = tmp_path / "sound"
    path.write_bytes(CONTENT)
    transport = httpx.ASGITransport(RangedFile(path))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.get("/", headers={"range": wanted})


async def test_ranges_that_the_file_has_are_answered(tmp_path: Path) -> None:
    part = await asked(tmp_path, "bytes=10-19")
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert (await asked(tmp_path, "bytes=-5")).content == CONTENT[-5:]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("bytes=200-", 416), ("seconds=1-2", 400), ("bytes", 400)],
    ids=["beyond the end", "of another unit", "without any"],
)
async def test_other_ranges_are_refused_as_every_error_is(tmp_path: Path, wanted: str, status: int) -> None:
    refused = await asked(tmp_path, wanted)
    assert (refused.status_code, refused.headers["x-http-code"]) == (status, str(status))
    assert refused.headers["x-meetra-reason"] == "BAD_REQUEST"
    assert refused.json()["message"].startswith("Bad request: range: ")
    assert refused.headers.get("content-range") == ("bytes */200" if status == 416 else None)


async def test_a_file_that_goes_before_it_is_read_is_no_failure_of_the_server(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(RangedFile(tmp_path / "gone"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        with pytest.raises(AudioUnavailable):
            await client.get("/")
