"""The archive, opened with the standard library."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator

from server.export.archive import SPOOL_BYTES, Archive


async def of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_files_are_read_back_and_the_manifest_describes_them() -> None:
    archive = Archive(mtime=1_795_000_000)
    long = "meetings/" + "é" * 200 + ".json"
    raw = archive.file("empty", b"") + archive.document(long, {"name": "Zoë"})
    raw += b"".join([chunk async for chunk in archive.stream("large", 1300, of(b"x" * 1000, b"y" * 300))])
    archive.counts["meetings"] = 2
    raw += archive.pause()
    archive.leave_out("b", "audio", "deleted")
    archive.leave_out("c", "answers/é.json", "deleted")
    raw += b"".join(archive.end({"gone": ["a"]}))
    archive.close()
    assert len(raw) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        content = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]
        modes = {(member.mode, member.mtime) for member in opened.getmembers()}
    assert modes == {(0o600, 1_795_000_000)}
    manifest = json.loads(content.pop("manifest.json"))
    assert json.loads(content[long]) == {"name": "Zoë"}
    assert content["large"] == b"x" * 1000 + b"y" * 300
    assert manifest["files"] == [
        {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in content.items()
    ]
    assert (manifest["schema"], manifest["version"], manifest["gone"]) == ("meetra-export", 1, ["a"])
    assert manifest["counts"] == {"meetings": 2, "left_out": 2}
    assert manifest["left_out"] == [
        {"meeting": "b", "what": "audio", "reason": "deleted"},
        {"meeting": "c", "what": "answers/é.json", "reason": "deleted"},
    ]


def test_a_manifest_larger_than_what_is_kept_in_memory_is_whole() -> None:
    archive = Archive(mtime=0)
    number = SPOOL_BYTES // 100
    for at in range(number):
        archive.file(f"{at:06}", b"")
    raw = b"".join(archive.end({}))
    archive.close()
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        manifest = json.load(opened.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert [entry["path"] for entry in manifest["files"]] == [f"{at:06}" for at in range(number)]


def test_a_manifest_of_nothing_is_json() -> None:
    raw = b"".join(Archive(mtime=0).end({}))
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        manifest = json.load(opened.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert (manifest["files"], manifest["left_out"]) == ([], [])


def test_files_of_more_than_8_gib_have_a_place() -> None:
    header = Archive(mtime=0)._header("large", 2**40)
    assert tarfile.TarInfo.frombuf(header[-512:], "utf-8", "strict").name == "large"
    assert b"size=1099511627776" in header
