"""Uploads in pieces over real HTTP: the tus protocol, pieces that break off, and the meeting in the end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.api.tus import parse_metadata
from server.errors import BadRequest
from server.storage.pool import Database
from tests.recordings import excerpt
from tests.server.api.conftest import Api, running_api

PATIENCE_S = 120
PATH = "/single-feature-api/uploads"
VERSION = {"tus-resumable": "1.0.0"}
PIECE = {**VERSION, "content-type": "application/offset+octet-stream"}
RECORDING = excerpt(2.0)


def described(**values: str) -> dict[str, str]:
    """An Upload-Metadata header."""
    return {"upload-metadata": ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())}


@pytest.fixture
async def http(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://127.0.0.1:{api.http_port}"
    async with httpx.AsyncClient(base_url=base, headers=dict(api.metadata), timeout=PATIENCE_S) as client:
        yield client


async def begun(http: httpx.AsyncClient, size: int = len(RECORDING), **values: str) -> str:
    """The address of an upload that has begun."""
    headers = {**VERSION, "upload-length": str(size), **described(**values)}
    created = await http.post(PATH, headers=headers)
    assert created.status_code == 201, created.text
    assert created.headers["upload-expires"].endswith("GMT")
    return created.headers["location"]


async def sent(http: httpx.AsyncClient, at: str, offset: int, data: bytes) -> httpx.Response:
    return await http.patch(at, headers={**PIECE, "upload-offset": str(offset)}, content=data)


def files_of(folder: Path) -> list[Path]:
    return [path for path in (folder / "unfinished").rglob("*") if path.is_file()]


async def test_a_recording_in_pieces_becomes_the_meeting_that_it_is_whole(
    http: httpx.AsyncClient, api: Api, owner: Database, tmp_path: Path
) -> None:
    at = await begun(http, filename="Montag.wav", filetype="audio/wav", name="Montag ☕", language="de", n_speakers="2")
    for offset in range(0, len(RECORDING), 10_000):
        piece = await sent(http, at, offset, RECORDING[offset : offset + 10_000])
        assert piece.status_code == 204, piece.text
        assert int(piece.headers["upload-offset"]) == min(offset + 10_000, len(RECORDING))
    file_hash = hashlib.sha256(RECORDING).hexdigest()
    assert piece.headers["meetra-file-hash"] == file_hash
    (row,) = await owner.run(lambda c: c.fetch("SELECT * FROM meetings"))
    said = (row["file_hash"], row["name"], row["language"], row["n_speakers"], row["media_type"])
    assert said == (file_hash, "Montag ☕", "de", 2, "audio/wav")
    (stored,) = tmp_path.rglob("original")
    assert stored.read_bytes() == RECORDING
    assert {path.name for path in files_of(tmp_path)} == {"done.json", "stated.json"}
    # Asked again, it says so; a piece more is none.
    asked = await http.head(at, headers=VERSION)
    assert (asked.headers["upload-offset"], asked.headers["meetra-file-hash"]) == (str(len(RECORDING)), file_hash)
    assert (await sent(http, at, len(RECORDING), b"")).status_code == 204
    assert (await http.delete(at, headers=VERSION)).status_code == 204
    assert stored.read_bytes() == RECORDING


async def test_it_says_what_it_speaks(http: httpx.AsyncClient) -> None:
    for path in (PATH, f"{PATH}/0"):
        options = await http.options(path)
        assert options.headers["tus-version"] == options.headers["tus-resumable"] == "1.0.0"
        assert options.headers["tus-extension"] == "creation,termination,expiration"
        assert options.headers["tus-max-size"] == "200000"
    other = await http.post(PATH, headers={"tus-resumable": "0.2.2", "upload-length": "5"})
    assert (other.status_code, other.headers["tus-version"]) == (412, "1.0.0")


async def test_what_cannot_become_a_meeting_is_refused_before_it_comes(http: httpx.AsyncClient, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, str], int, str]] = [
        ({}, 400, "BAD_REQUEST"),
        ({"upload-length": "-1"}, 400, "BAD_REQUEST"),
        ({"upload-length": "0"}, 400, "BAD_REQUEST"),
        ({"upload-length": "9" * 30}, 400, "BAD_REQUEST"),
        ({"upload-length": "200001"}, 413, "FILE_TOO_LARGE"),
        ({"upload-length": "5", "upload-defer-length": "1"}, 400, "BAD_REQUEST"),
        ({"upload-length": "5", **described(n_speakers="many")}, 400, "BAD_REQUEST"),
        ({"upload-length": "5", **described(consnet="yes")}, 400, "BAD_REQUEST"),
        ({"upload-length": "5", "upload-metadata": "name %%%"}, 400, "BAD_REQUEST"),
    ]
    for headers, status, reason in cases:
        answer = await http.post(PATH, headers={**VERSION, **headers})
        assert (answer.status_code, answer.headers["x-meetra-reason"]) == (status, reason), headers
    assert files_of(tmp_path) == []


async def test_pieces_go_on_where_the_upload_is(http: httpx.AsyncClient) -> None:
    at = await begun(http)
    await sent(http, at, 0, RECORDING[:5000])
    for offset in (0, 4999, 5001, len(RECORDING)):
        wrong = await sent(http, at, offset, b"x")
        assert (wrong.status_code, wrong.headers["x-meetra-reason"]) == (409, "UPLOAD_OFFSET_DIFFERS")
    beyond = await sent(http, at, 5000, RECORDING)
    assert (beyond.status_code, beyond.headers["x-meetra-reason"]) == (400, "BAD_REQUEST")
    untyped = await http.patch(at, headers={**VERSION, "upload-offset": "5000"}, content=b"x")
    assert untyped.status_code == 415
    packed = await http.patch(at, headers={**PIECE, "upload-offset": "5000", "content-encoding": "gzip"}, content=b"x")
    assert packed.status_code == 415
    assert (await http.head(at, headers=VERSION)).headers["upload-offset"] == "5000"


async def test_a_piece_that_breaks_off_is_kept_as_far_as_it_came(
    http: httpx.AsyncClient, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.meetings.resumable_uploads.BLOCK_BYTES", 1000)
    at = await begun(http)
    _, writer = await asyncio.open_connection("127.0.0.1", api.http_port)
    head = {**PIECE, **dict(api.metadata), "upload-offset": "0", "content-length": str(len(RECORDING)), "host": "x"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"PATCH {at} HTTP/1.1\r\n{lines}\r\n".encode() + RECORDING[:20_000])
    await writer.drain()
    # While it is being sent, nobody else writes.
    async with asyncio.timeout(PATIENCE_S):
        while (await http.head(at, headers=VERSION)).status_code != 423:
            await asyncio.sleep(0.02)
        (received,) = tmp_path.rglob("received")
        while not received.stat().st_size:
            await asyncio.sleep(0.02)
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while (asked := await http.head(at, headers=VERSION)).status_code == 423:
            await asyncio.sleep(0.02)
    assert 0 < int(asked.headers["upload-offset"]) <= 20_000
    offset = int(asked.headers["upload-offset"])
    assert (await sent(http, at, offset, RECORDING[offset:])).headers["meetra-file-hash"]


async def test_a_last_byte_that_came_before_a_crash_counts(http: httpx.AsyncClient, tmp_path: Path) -> None:
    at = await begun(http)
    await sent(http, at, 0, RECORDING[:-1])
    (received,) = tmp_path.rglob("received")
    with received.open("ab") as file:
        file.write(RECORDING[-1:])
    asked = await http.head(at, headers=VERSION)
    assert asked.headers["upload-offset"] == str(len(RECORDING))
    assert asked.headers["meetra-file-hash"] == hashlib.sha256(RECORDING).hexdigest()


async def test_an_upload_is_in_the_audit_log_also_where_the_server_is_killed_then(
    http: httpx.AsyncClient, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise OSError("as if the process ended here")

    at = await begun(http)
    with monkeypatch.context() as patched:
        patched.setattr("server.audio.unfinished_recordings.UnfinishedRecording.finish", killed)
        assert (await sent(http, at, 0, RECORDING)).status_code == 500
    query = "SELECT object_id FROM audit_events WHERE action = 'change' AND method = 'MeetingService/UploadMeeting'"
    for _ in range(2):
        rows = await owner.run(lambda c: c.fetch(query))
        assert {row["object_id"] for row in rows} == {hashlib.sha256(RECORDING).hexdigest()}
        assert (await http.head(at, headers=VERSION)).headers["meetra-file-hash"]


async def test_what_is_whole_and_no_recording_goes(http: httpx.AsyncClient, tmp_path: Path) -> None:
    long = excerpt(5.0)
    at = await begun(http, len(long))
    whole = await sent(http, at, 0, long)
    assert (whole.status_code, whole.headers["x-meetra-reason"]) == (413, "RECORDING_TOO_LONG")
    assert files_of(tmp_path) == []
    assert (await http.head(at, headers=VERSION)).status_code == 404


async def test_an_upload_is_its_user_s_alone(http: httpx.AsyncClient, api: Api) -> None:
    at = await begun(http)
    for organization, email in (("Org", "b@example.org"), ("Elsewhere", "c@example.org")):
        other = {"authorization": f"Bearer {await api.token(organization, email)}"}
        for verb in ("HEAD", "DELETE"):
            answer = await http.request(verb, at, headers={**VERSION, **other})
            assert answer.status_code == 404
        piece = await http.patch(at, headers={**PIECE, **other, "upload-offset": "0"}, content=b"x")
        assert (piece.status_code, piece.headers["x-meetra-reason"]) == (404, "UPLOAD_NOT_FOUND")
    unknown = await http.head(at, headers={**VERSION, "authorization": "Bearer nobody"})
    assert unknown.status_code == 401
    for name in ("0", "x" * 32, "f" * 32):
        assert (await http.delete(f"{PATH}/{name}", headers=VERSION)).status_code == 404


async def test_an_upload_can_be_given_up(http: httpx.AsyncClient, tmp_path: Path) -> None:
    at = await begun(http)
    await sent(http, at, 0, RECORDING[:100])
    assert (await http.delete(at, headers=VERSION)).status_code == 204
    assert files_of(tmp_path) == []
    assert (await sent(http, at, 100, RECORDING[100:])).status_code == 404


async def test_unfinished_uploads_count_towards_what_may_be_stored(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with running_api(owner, database, tmp_path, quota_stored_bytes=100_000) as api:
        base = f"http://127.0.0.1:{api.http_port}"
        async with httpx.AsyncClient(base_url=base, headers=dict(api.metadata), timeout=PATIENCE_S) as http:
            at = await begun(http, 60_000)
            headers = {**VERSION, "upload-length": "60000"}
            refused = await http.post(PATH, headers=headers)
            assert (refused.status_code, refused.headers["x-meetra-reason"]) == (429, "QUOTA_EXCEEDED")
            await http.delete(at, headers=VERSION)
            assert (await http.post(PATH, headers=headers)).status_code == 201


async def test_an_upload_waits_whose_room_others_took(owner: Database, database: Database, tmp_path: Path) -> None:
    async with running_api(owner, database, tmp_path, quota_stored_bytes=len(RECORDING) + 1000) as api:
        base = f"http://127.0.0.1:{api.http_port}"
        async with httpx.AsyncClient(base_url=base, headers=dict(api.metadata), timeout=PATIENCE_S) as http:
            at = await begun(http)
            assert (await sent(http, at, 0, RECORDING[:-1])).status_code == 204
            await api.upload(excerpt(1.0))
            full = await sent(http, at, len(RECORDING) - 1, RECORDING[-1:])
            assert (full.status_code, full.headers["x-meetra-reason"]) == (429, "QUOTA_EXCEEDED")
            await owner.run(lambda c: c.execute("DELETE FROM meetings"))
            last = await sent(http, at, len(RECORDING) - 1, RECORDING[-1:])
            assert last.headers["meetra-file-hash"] == hashlib.sha256(RECORDING).hexdigest()


async def test_pieces_count_towards_the_day_once(owner: Database, database: Database, tmp_path: Path) -> None:
    most = len(RECORDING) + 1000
    async with running_api(owner, database, tmp_path, quota_upload_bytes_per_day=most) as api:
        base = f"http://127.0.0.1:{api.http_port}"
        async with httpx.AsyncClient(base_url=base, headers=dict(api.metadata), timeout=PATIENCE_S) as http:
            at = await begun(http)
            await sent(http, at, 0, RECORDING[:30_000])
            assert (await sent(http, at, 30_000, RECORDING[30_000:])).headers["meetra-file-hash"]
            day: Any = await owner.run(lambda c: c.fetchval("SELECT upload_bytes FROM organization_days"))
            assert day == len(RECORDING)
            at = await begun(http)
            over = await sent(http, at, 0, RECORDING)
            assert (over.status_code, over.headers["x-meetra-reason"]) == (429, "QUOTA_EXCEEDED")
            # It may go on tomorrow.
            assert (await http.head(at, headers=VERSION)).headers["upload-offset"] == "0"


def test_metadata_is_base64_of_known_keys() -> None:
    assert parse_metadata("") == {}
    assert parse_metadata("name TcO8bGxlcg==, date , relativePath bnVsbA==") == {"name": "Müller", "date": ""}
    for wrong in ("name x", "name /w==", "other eA==", "name eA==,name eA=="):
        with pytest.raises(BadRequest):
            parse_metadata(wrong)
