"""An export through real Envoy: what is in it, what it costs, and what is left of one that is cut."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import resource
import sys
import tarfile
import wave
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from grpc import aio
from meetra.v1 import export_pb2, export_pb2_grpc, live_pb2, live_pb2_grpc

from server.api.export_documents import ANSWERS
from server.audio import AudioLog
from server.insights import compute_answers
from server.storage.pool import Database
from server.storage.users import User
from tests.gateway.conftest import TRACK, House
from tests.gateway.running_gateway import PATIENCE_S
from tests.recordings import wav
from tests.server.insights.meetings_in_languages import german_and_english
from tests.server.storage.rows import make_user, ready_meeting

pytestmark = pytest.mark.system

EXPORT = "/api/organization/export"
LARGE = 300 * 1024 * 1024
ANSWERED = german_and_english()


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """An owner's client."""
    headers = dict(await house.user("Org", "a@example.org"))
    async with httpx.AsyncClient(base_url=f"http://{house.address}", headers=headers, timeout=PATIENCE_S) as client:
        yield client


async def analysed(owner: Database, database: Database, folder: Path, recording: bytes) -> str:
    """A meeting that was analysed, with its recording; returns its hash."""
    user = await make_user(owner, "Org", "a@example.org")
    file_hash = hashlib.sha256(recording).hexdigest()
    computed = compute_answers(ANSWERED)
    answers = {name: (answer.definition_version, dict(answer.document)) for name, answer in computed.items()}
    await ready_meeting(database, user, file_hash, conversation=ANSWERED.to_document(), answers=answers)
    path = AudioLog(folder).folder(user.organization_id, file_hash) / "original"
    path.parent.mkdir(parents=True)
    path.write_bytes(recording)
    return file_hash


def large(folder: Path, user: User, file_hash: str, size: int = LARGE) -> Path:
    """Make the recording of a meeting a large one, without using the disk."""
    path = AudioLog(folder).folder(user.organization_id, file_hash) / "original"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, size)
    return path


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a complete archive, whose manifest says the truth about them."""
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        members = opened.getmembers()
        files = {member.name: opened.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert len(files) == len(members)
    assert members[-1].name == "manifest.json"
    listed = json.loads(files["manifest.json"])["files"]
    assert listed == [
        {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
        if path != "manifest.json"
    ]
    return files


async def live_meeting(house: House, samples: bytes) -> str:
    """A live meeting that goes on, with some audio; returns its hash."""
    metadata = await house.user("Org", "a@example.org")
    async with aio.insecure_channel(house.address) as channel:
        stub = live_pb2_grpc.LiveServiceStub(channel)
        config = live_pb2.LiveConfig(name="Going on", tracks=[TRACK])
        ready = (await stub.OpenMeeting(live_pb2.OpenMeetingRequest(config=config), metadata=metadata)).ready
        request = live_pb2.SendAudioRequest(session_id=ready.session_id, track_id="mic", owner=ready.owner)
        request.body.data = samples
        await stub.SendAudio(request, metadata=metadata)
    return str(ready.file_hash)


async def test_an_archive_has_what_rest_gives_and_the_audio(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    await owner.run(lambda c: c.execute("UPDATE users SET password_hash = 'a planted password hash'"))
    recording = wav(np.arange(16_000, dtype=np.int16))
    file_hash = await analysed(owner, database, tmp_path, recording)
    samples = np.arange(4000, dtype="<i2").tobytes()
    live_hash = await live_meeting(house, samples)
    made = (await http.post("/api/keys", json={"name": "a bot", "scopes": ["read"]})).json()
    answer = await http.get(EXPORT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-tar"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith('attachment; filename="meetra-export-2')
    files = unpacked(answer.content)
    folder = f"meetings/{file_hash}"
    assert files[f"{folder}/recording.wav"] == recording
    with wave.open(io.BytesIO(files[f"meetings/{live_hash}/track-0.wav"])) as opened:
        assert opened.readframes(opened.getnframes()) == samples
    # Every answer that REST has, and none beside.
    assert {path for path in files if path.startswith(f"{folder}/answers/")} == {
        f"{folder}/answers/{name}.json" for name in ANSWERS
    }
    assert len(ANSWERS) == 19
    for name, method in ANSWERS.items():
        asked = {"file-hash": file_hash}
        if "include_details" in method.input_type.fields_by_name:
            asked["include_details"] = "true"
        path = method.GetOptions().Extensions[_http()].get
        shown = await http.get(path, params=asked)
        assert shown.status_code == 200, path
        assert json.loads(files[f"{folder}/answers/{name}.json"]) == shown.json(), path
    status = await http.get("/single-feature-api/meeting/status", params={"file-hash": file_hash})
    assert json.loads(files[f"{folder}/status.json"]) == status.json()
    for path, shown_at in (("users.json", "/api/users"), ("keys.json", "/api/keys"), ("voices.json", "/api/voices")):
        assert json.loads(files[path]) == (await http.get(shown_at)).json(), path
    for listed in (await http.get("/single-feature-api/meetings")).json()["meetings"]:
        described = json.loads(files[f"meetings/{listed['file_hash']}/meeting.json"])
        assert described.items() >= listed.items()
    assert json.loads(files[f"meetings/{live_hash}/meeting.json"])["audio"] == ["track-0.wav"]
    events = [json.loads(line) for line in files["audit/000001.jsonl"].splitlines()]
    assert made["key"]["id"] in {event["object_id"] for event in events}
    everything = b"".join(files.values())
    for secret in (made["secret"].encode(), b"planted password"):
        assert secret not in everything
    manifest = json.loads(files["manifest.json"])
    assert manifest["counts"] == {"meetings": 2, "audio_files": 2, "audit_events": len(events)}
    assert manifest["left_out"] == []
    assert manifest["organization"]["name"] == json.loads(files["organization.json"])["name"] == "Org"
    # It is in the log: once, as it ended.
    (event,) = (await http.get("/api/organization/audit", params={"action": "export"})).json()["events"]
    assert (event["method"], event["status"]) == ("ExportService/ExportOrganization", "OK")


def _http() -> Any:
    from google.api import annotations_pb2

    return annotations_pb2.http


async def test_without_audio_and_over_grpc_and_only_headers(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    file_hash = await analysed(owner, database, tmp_path, b"a recording")
    answer = await http.get(EXPORT, params={"include_audio": "false"})
    files = unpacked(answer.content)
    assert f"meetings/{file_hash}/recording.wav" not in files
    assert json.loads(files["manifest.json"])["include_audio"] is False
    async with aio.insecure_channel(house.address) as channel:
        stub = export_pb2_grpc.ExportServiceStub(channel)
        call: Any = stub.ExportOrganization(
            export_pb2.ExportOrganizationRequest(), metadata=await house.user("Org", "a@example.org")
        )
        files = unpacked(b"".join([piece.body.data async for piece in call]))
    assert files[f"meetings/{file_hash}/recording.wav"] == b"a recording"
    head = await http.head(EXPORT)
    assert (head.status_code, head.content) == (200, b"")
    # What was deleted from the disk is no error.
    (AudioLog(tmp_path).folder(UUID(json.loads(files["organization.json"])["id"]), file_hash) / "original").unlink()
    files = unpacked((await http.get(EXPORT)).content)
    assert json.loads(files[f"meetings/{file_hash}/meeting.json"])["audio"] == []


async def test_members_may_not(house: House, http: httpx.AsyncClient, owner: Database) -> None:
    await make_user(owner, "Org", "member@example.org", "member")
    refused = await http.get(EXPORT, headers=dict(await house.user("Org", "member@example.org")))
    assert (refused.status_code, set(refused.json())) == (403, {"message"})


async def test_a_large_recording_is_sent_in_bounded_memory(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    large(tmp_path, user, await analysed(owner, database, tmp_path, b"soon large"))
    before, received = peak_bytes(), 0
    async with http.stream("GET", EXPORT) as answer:
        chunks = answer.aiter_bytes()
        received += len(await anext(chunks))
        # A client that does not read is waited for.
        await asyncio.sleep(1)
        async for chunk in chunks:
            received += len(chunk)
    assert received > LARGE
    # Of the API and of this client.
    assert peak_bytes() - before < LARGE // 3


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


async def test_a_cut_download_leaves_nothing_running_and_one_runs_at_a_time(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    path = large(tmp_path, user, await analysed(owner, database, tmp_path, b"soon large"))
    async with http.stream("GET", EXPORT) as answer:
        # Dropped, it would end the download.
        chunks = answer.aiter_bytes()
        await anext(chunks)
        again = await http.get(EXPORT)
        assert again.status_code == 429
        assert again.json() == {"message": "An export of this organization is running; try again when it is complete"}
        assert again.headers["retry-after"] == "60"
        elsewhere = await http.get(EXPORT, headers=dict(await house.user("Elsewhere", "e@example.org")))
        assert elsewhere.status_code == 200
        assert is_open(path) in (True, None)
    async with asyncio.timeout(PATIENCE_S):
        while (again := await http.get(EXPORT, params={"include_audio": "false"})).status_code == 429:
            await asyncio.sleep(0.1)
        while is_open(path):
            await asyncio.sleep(0.1)
        while not [event for event in await exports(http) if event["status"] == "CANCELLED"]:
            await asyncio.sleep(0.1)
    unpacked(again.content)


def is_open(path: Path) -> bool | None:
    """Whether this process has the file open; None where that is not known."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return None
    targets = []
    for descriptor in folder.iterdir():
        with suppress(FileNotFoundError):
            targets.append(descriptor.readlink())
    return path in targets


async def exports(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The exports in the audit log."""
    events: list[dict[str, Any]] = (await http.get("/api/organization/audit", params={"action": "export"})).json()[
        "events"
    ]
    return events


async def test_what_is_deleted_meanwhile_is_listed_as_gone(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    gone = await analysed(owner, database, tmp_path, b"the older one, sent last")
    kept = await analysed(owner, database, tmp_path, b"the newer one, sent first")
    large(tmp_path, user, kept, 30 * 1024 * 1024)
    data = bytearray()
    async with http.stream("GET", EXPORT) as answer:
        chunks = answer.aiter_bytes()
        data += await anext(chunks)
        for file_hash in (gone, kept):
            # The one that is sent is open: all of it comes.
            deleted = await http.delete("/single-feature-api/meeting", params={"file-hash": file_hash})
            assert deleted.status_code == 200
        async for chunk in chunks:
            data += chunk
    files = unpacked(bytes(data))
    assert json.loads(files["manifest.json"])["gone"] == [gone]
    assert not [path for path in files if gone in path]
    assert len(files[f"meetings/{kept}/recording.wav"]) == 30 * 1024 * 1024


async def test_an_archive_that_breaks_has_no_manifest(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    path = large(tmp_path, user, await analysed(owner, database, tmp_path, b"soon large"))
    data = bytearray()
    try:
        async with http.stream("GET", EXPORT) as answer:
            async for chunk in answer.aiter_bytes():
                if not data:
                    os.truncate(path, 1000)
                data += chunk
    except httpx.RemoteProtocolError:
        pass
    assert b"manifest.json" not in data[-100_000:]
    async with asyncio.timeout(PATIENCE_S):
        while not [event for event in await exports(http) if event["status"] == "INTERNAL_ERROR"]:
            await asyncio.sleep(0.1)
