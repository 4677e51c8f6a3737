"""Files of a meeting through real Envoy, in every format."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import grpc
import httpx
import pypdfium2
import pytest
from docx import Document
from grpc import aio
from meetra.v1 import export_pb2, export_pb2_grpc

from server.conversation import Conversation
from server.documents import FORMATS
from server.insights import compute_answers
from server.storage.pool import Database
from tests.gateway.conftest import House
from tests.gateway.running_gateway import PATIENCE_S
from tests.server.insights.meetings_in_languages import GERMAN, german_and_english, meeting, talk
from tests.server.storage.rows import make_user, queued_meeting, ready_meeting

pytestmark = pytest.mark.system

EXPORT = "/single-feature-api/meeting/export"
NAME = "Wöchentlich: «Q3»/../\U0001f4c5"


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A member's client."""
    headers = dict(await house.user("Org", "a@example.org"))
    async with httpx.AsyncClient(base_url=f"http://{house.address}", headers=headers, timeout=PATIENCE_S) as client:
        yield client


async def analysed(owner: Database, database: Database, said: Conversation) -> str:
    """A meeting that was analysed; returns its hash."""
    user = await make_user(owner, "Org", "a@example.org")
    file_hash = hashlib.sha256(str(said.duration_us).encode()).hexdigest()
    computed = compute_answers(said)
    answers = {name: (answer.definition_version, dict(answer.document)) for name, answer in computed.items()}
    await ready_meeting(database, user, file_hash, conversation=said.to_document(), answers=answers)
    await owner.run(lambda c: c.execute("UPDATE meetings SET name = $1 WHERE file_hash = $2", NAME, file_hash))
    return file_hash


@pytest.mark.parametrize("form", sorted((*FORMATS, "json")))
async def test_every_format_is_a_file_named_after_the_meeting(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, form: str
) -> None:
    file_hash = await analysed(owner, database, german_and_english())
    answer = await http.get(EXPORT, params={"file-hash": file_hash, "format": form})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == (FORMATS[form].media_type if form in FORMATS else "application/json")
    assert answer.headers["cache-control"] == "no-store"
    plain, extended = answer.headers["content-disposition"].removeprefix("attachment; ").split("; ")
    assert plain == f'filename="meeting-{file_hash[:12]}.{form}"'
    assert unquote(extended.removeprefix("filename*=UTF-8''")) == f"Wöchentlich_ _Q3__.._\N{LOW LINE}.{form}"
    if form == "docx":
        text = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(answer.content)).paragraphs)
    elif form == "pdf":
        pages = pypdfium2.PdfDocument(answer.content)
        text = "".join(page.get_textpage().get_text_range() for page in pages)
    else:
        text = answer.content.decode()
    if form not in ("rttm", "scores.csv"):
        assert "Daniel" in text
    (event,) = (await http.get("/api/organization/audit", params={"action": "export"})).json()["events"]
    assert (event["method"], event["object_id"], event["status"]) == ("ExportService/ExportMeeting", file_hash, "OK")
    head = await http.head(EXPORT, params={"file-hash": file_hash, "format": form})
    assert (head.status_code, head.content) == (200, b"")


async def test_json_has_every_answer_that_rest_has(
    http: httpx.AsyncClient, owner: Database, database: Database
) -> None:
    file_hash = await analysed(owner, database, german_and_english())
    found = (await http.get(EXPORT, params={"file-hash": file_hash, "format": "json"})).json()
    assert found["schema"] == {"name": "meetra.meeting", "version": 1}
    assert found["meeting"]["file_hash"] == file_hash
    assert found["status"]["status"] == "ready"
    assert len(found["answers"]) == 19
    asked = {"file-hash": file_hash, "include_details": "true"}
    shown = await http.get("/single-feature-api/meeting/transcription", params=asked)
    assert found["answers"]["transcription"] == shown.json()
    noted = await http.get("/single-feature-api/meeting/notes", params=asked)
    assert found["answers"]["notes"] == noted.json()


async def test_over_grpc_a_long_meeting_comes_in_pieces(house: House, owner: Database, database: Database) -> None:
    file_hash = await analysed(owner, database, talk(meeting("de", *GERMAN * 400)))
    async with aio.insecure_channel(house.address) as channel:
        stub = export_pb2_grpc.ExportServiceStub(channel)
        call = stub.ExportMeeting(
            export_pb2.ExportMeetingRequest(file_hash=file_hash, format="words.csv"),
            metadata=await house.user("Org", "a@example.org"),
        )
        pieces = [answer.body.data async for answer in call]
    assert len(pieces) > 3
    assert max(map(len, pieces)) == 256 * 1024
    assert b"".join(pieces).count(b"\r\n") == 1 + sum(len(text.split()) for _, text in GERMAN) * 400


async def test_refusals_name_the_fix(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database
) -> None:
    file_hash = await analysed(owner, database, german_and_english())
    for params, status, text in (
        ({"file-hash": file_hash}, 400, "format: must be one of ctm, docx"),
        ({"file-hash": file_hash, "format": "odt"}, 400, "format: must be one of ctm, docx"),
        ({"file-hash": file_hash, "format": "SRT"}, 400, "format"),
        ({"file-hash": "abc", "format": "srt"}, 400, "file-hash"),
        ({"format": "srt"}, 400, "file-hash"),
        ({"file-hash": "0" * 64, "format": "srt"}, 404, ""),
        ({"file-hash": "0" * 64, "format": "json"}, 404, ""),
    ):
        answer = await http.get(EXPORT, params=params)
        assert (answer.status_code, set(answer.json())) == (status, {"message"}), params
        assert text in answer.json()["message"]
    others = dict(await house.user("Others", "o@example.org"))
    for form in ("srt", "json"):
        answer = await http.get(EXPORT, params={"file-hash": file_hash, "format": form}, headers=others)
        assert answer.status_code == 404
    user = await make_user(owner, "Org", "a@example.org")
    await queued_meeting(database, user, "f" * 64)
    for form in ("srt", "json"):
        answer = await http.get(EXPORT, params={"file-hash": "f" * 64, "format": form})
        assert answer.status_code == 409
    await owner.run(lambda c: c.execute("UPDATE meetings SET transcript_deleted_at = now()"))
    answer = await http.get(EXPORT, params={"file-hash": file_hash, "format": "srt"})
    assert answer.status_code == 410
    left = (await http.get(EXPORT, params={"file-hash": file_hash, "format": "json"})).json()
    assert "answers/transcription.json" in left["left_out"]
    assert "balance-score" in left["answers"]


async def test_files_that_nobody_reads_are_few(house: House, owner: Database, database: Database) -> None:
    file_hash = await analysed(owner, database, talk(meeting("de", *GERMAN * 400)))
    metadata = await house.user("Org", "a@example.org")
    request = export_pb2.ExportMeetingRequest(file_hash=file_hash, format="eaf")
    async with aio.insecure_channel(house.address) as channel:
        stub: Any = export_pb2_grpc.ExportServiceStub(channel)
        slow = [stub.ExportMeeting(request, metadata=metadata) for _ in range(4)]
        for call in slow:
            assert (await call.read()).body.data
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.ExportMeeting(request, metadata=metadata).read()
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        slow[0].cancel()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    assert (await stub.ExportMeeting(request, metadata=metadata).read()).body.data
                    break
                except aio.AioRpcError:
                    await asyncio.sleep(0.1)
