"""Consent over real gRPC: given with an upload, at the opening of a live meeting, or later; required where wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import (
    live_pb2,
    live_pb2_grpc,
    meetings_pb2,
    meetings_pb2_grpc,
    organization_pb2,
    organization_pb2_grpc,
)

from server.storage.pool import Database
from tests.recordings import RATE_HZ, wav
from tests.server.api.conftest import Api, running_api
from tests.server.api.test_open_calls import bearer
from tests.server.api.test_users import refusal
from tests.server.storage.rows import HASH, make_user

RECORDING = wav(np.zeros(RATE_HZ // 4, np.int16))
TRACK = live_pb2.TrackConfig(
    track_id="mix",
    kind=live_pb2.TRACK_KIND_MIXED,
    encoding=live_pb2.AUDIO_ENCODING_PCM_S16LE,
    sample_rate_hz=RATE_HZ,
)
REQUIRED = (
    "FAILED_PRECONDITION",
    "consent: this organization records no meeting without it; say who consented, and how, before the recording",
)


async def require(api: Api, *, required: bool = True) -> None:
    policy = organization_pb2.OrganizationPolicy(consent_required=required)
    await organization_pb2_grpc.OrganizationServiceStub(api.channel).UpdateOrganization(
        organization_pb2.UpdateOrganizationRequest(policy=policy), metadata=api.metadata
    )


def form(*parts: tuple[str, bytes]) -> httpbody_pb2.HttpBody:
    """A form of text parts, and a file where the name is ``file``."""
    body = b""
    for name, data in parts:
        file_name = '; filename="a.wav"' if name == "file" else ""
        body += f'--between\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'.encode()
        body += data + b"\r\n"
    return httpbody_pb2.HttpBody(content_type="multipart/form-data; boundary=between", data=body + b"--between--\r\n")


async def upload(api: Api, request: meetings_pb2.UploadMeetingRequest) -> str:
    stub = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    answer = await stub.UploadMeeting(iter([request]), metadata=api.metadata)
    return str(answer.file_hash)


async def noted(api: Api, file_hash: str) -> list[tuple[str, str, str, str]]:
    stub = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    request = meetings_pb2.GetMeetingConsentRequest(file_hash=file_hash)
    answer = await stub.GetMeetingConsent(request, metadata=api.metadata)
    assert all(one.noted_at.startswith("20") for one in answer.consent)
    return [(one.who, one.how, one.when, one.noted_by) for one in answer.consent]


async def test_consent_is_noted_with_an_upload(api: Api) -> None:
    raw = httpbody_pb2.HttpBody(content_type="audio/wav", data=RECORDING)
    given = ["Daniel; by e-mail; yesterday", "Zoë; said so\nAll others; said so"]
    file_hash = await upload(api, meetings_pb2.UploadMeetingRequest(body=raw, consent=given))
    assert await noted(api, file_hash) == [
        ("Daniel", "by e-mail", "yesterday", "a@example.org"),
        ("Zoë", "said so", "", "a@example.org"),
        ("All others", "said so", "", "a@example.org"),
    ]


async def test_parts_of_a_form_add_up_and_may_come_last_where_none_is_required(api: Api) -> None:
    body = form(("consent", b"Daniel; by e-mail"), ("file", RECORDING), ("consent", "Zoë; said so".encode()))
    file_hash = await upload(api, meetings_pb2.UploadMeetingRequest(body=body))
    assert [who for who, *_ in await noted(api, file_hash)] == ["Daniel", "Zoë"]
    wrong = form(("file", RECORDING), ("consent", b"Daniel"))
    with pytest.raises(aio.AioRpcError, match="each line must be who; how, or who; how; when"):
        await upload(api, meetings_pb2.UploadMeetingRequest(body=wrong))


async def test_where_it_is_required_an_upload_needs_it_before_the_recording(api: Api, owner: Database) -> None:
    await require(api)
    raw = httpbody_pb2.HttpBody(content_type="audio/wav", data=RECORDING)
    for body in (raw, form(("file", RECORDING)), form(("file", RECORDING), ("consent", b"Daniel; by e-mail"))):
        assert await refusal(upload(api, meetings_pb2.UploadMeetingRequest(body=body))) == REQUIRED
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 0
    first = form(("consent", b"Daniel; by e-mail"), ("file", RECORDING))
    file_hash = await upload(api, meetings_pb2.UploadMeetingRequest(body=first))
    query = meetings_pb2.UploadMeetingRequest(body=form(("file", RECORDING)), consent=["Zoë; said so"])
    assert await upload(api, query) == file_hash
    assert [who for who, *_ in await noted(api, file_hash)] == ["Daniel"]
    await require(api, required=False)
    assert await upload(api, meetings_pb2.UploadMeetingRequest(body=raw)) == file_hash


async def test_an_upload_without_it_is_refused_while_the_recording_still_comes(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with running_api(owner, database, tmp_path) as api:
        await require(api)
        never = asyncio.Event()

        async def endless() -> AsyncIterator[meetings_pb2.UploadMeetingRequest]:
            body = httpbody_pb2.HttpBody(content_type="audio/wav", data=RECORDING)
            yield meetings_pb2.UploadMeetingRequest(body=body)
            await never.wait()

        call = meetings_pb2_grpc.MeetingServiceStub(api.channel).UploadMeeting(endless(), metadata=api.metadata)
        assert await call.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_live_meeting_is_opened_with_it(api: Api, owner: Database) -> None:
    stub = live_pb2_grpc.LiveServiceStub(api.channel)

    async def open_(*consent: str) -> Any:
        config = live_pb2.LiveConfig(name="Weekly", tracks=[TRACK], consent=consent)
        return await stub.OpenMeeting(live_pb2.OpenMeetingRequest(config=config), metadata=api.metadata)

    await open_()
    await require(api)
    assert await refusal(open_()) == REQUIRED
    assert (await refusal(open_("Daniel")))[1].startswith("Bad request: config.consent: each line must be")
    ready = (await open_("Daniel; said so")).ready
    assert await noted(api, ready.file_hash) == [("Daniel", "said so", "", "a@example.org")]
    # Nothing of it is in the stored config, which would outlive a change of the note.
    stored = await owner.run(lambda c: c.fetch("SELECT config::text FROM live_meetings"))
    assert not [row for row in stored if "said so" in row["config"]]
    resumed = live_pb2.LiveConfig(session_id=ready.session_id, take_over=True)
    await stub.OpenMeeting(live_pb2.OpenMeetingRequest(config=resumed), metadata=api.metadata)


async def test_it_is_noted_later_by_who_may_correct(api: Api, owner: Database) -> None:
    file_hash = (await api.upload(RECORDING)).file_hash
    stub = meetings_pb2_grpc.MeetingServiceStub(api.channel)

    async def note(*people: tuple[str, str, str], metadata: Any = None, of: str = file_hash) -> list[str]:
        consent = [meetings_pb2.Consent(who=who, how=how, when=when, noted_by="me") for who, how, when in people]
        request = meetings_pb2.SetMeetingConsentRequest(file_hash=of, note=meetings_pb2.ConsentNote(consent=consent))
        answer = await stub.SetMeetingConsent(request, metadata=metadata or api.metadata)
        return [f"{one.who} {one.noted_by}" for one in answer.consent]

    assert await noted(api, file_hash) == []
    assert await note(("Daniel", "on paper", ""), ("Zoë", "said so", "today")) == [
        "Daniel a@example.org",
        "Zoë a@example.org",
    ]
    assert await note() == []
    await require(api)
    assert await refusal(note()) == REQUIRED
    assert (await refusal(note(("Daniel", "", ""))))[
        1
    ] == "Bad request: consent: how: missing; say who consented, and how"
    assert (await refusal(note(("Daniel", "a", ""), of=HASH)))[0] == "NOT_FOUND"
    for role in ("reader", "bot"):
        await make_user(owner, "Org", f"{role}@example.org", role)
        metadata = await bearer(api, "Org", f"{role}@example.org")
        assert (await refusal(note(("Daniel", "a", ""), metadata=metadata)))[0] == "PERMISSION_DENIED"
