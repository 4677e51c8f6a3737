"""Files in byte ranges: what is there, and refusals as JSON."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import pytest

from server.api.ranged_file import RangedFile
from server.audio import UPLOADED, AudioLog, ObjectStore
from server.errors import AudioUnavailable
from tests.object_stores import ObjectServer

CONTENT = bytes(range(200))


async def asked(tmp_path: Path, wanted: str, store: ObjectStore | None = None) -> httpx.Response:
    path, log, recording = tmp_path / "sound", AudioLog(tmp_path, store), (UUID(int=1), "ab" * 32)
    path.write_bytes(CONTENT)
    files = {UPLOADED: path}
    await log.kept.send(*recording, files)
    await log.kept.keep(*recording, files)
    transport = httpx.ASGITransport(RangedFile(log.kept.file(*recording, UPLOADED)))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.get("/", headers={"range": wanted})


async def test_ranges_that_the_file_has_are_answered(tmp_path: Path) -> None:
    part = await asked(tmp_path, "bytes=10-19")
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert (await asked(tmp_path, "bytes=-5")).content == CONTENT[-5:]


async def test_ranges_come_from_an_object_store_as_from_a_folder(tmp_path: Path, object_server: ObjectServer) -> None:
    store = object_server.fresh()
    for wanted in ("bytes=10-19", "bytes=-5", "bytes=5-6,100-", "bytes=0-"):
        here, there = await asked(tmp_path, wanted), await asked(tmp_path, wanted, store)
        assert (here.status_code, there.status_code) == (206, 206)
        assert CONTENT[100:] in there.content or len(here.content) < 100
        if "," not in wanted:
            # Parts of several ranges have a boundary of their own.
            assert (here.content, here.headers["content-range"]) == (there.content, there.headers["content-range"])
    assert (await asked(tmp_path, "bytes=200-", store)).status_code == 416


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
    transport = httpx.ASGITransport(RangedFile(AudioLog(tmp_path).kept.file(UUID(int=1), "ab" * 32, UPLOADED)))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        with pytest.raises(AudioUnavailable):
            await client.get("/")
