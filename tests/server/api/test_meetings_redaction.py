"""What an upload and its organization redact together, over real gRPC."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import meetings_pb2 as pb
from meetra.v1 import meetings_pb2_grpc, organization_pb2, organization_pb2_grpc

from server.storage.pool import Database
from tests.recordings import excerpt
from tests.server.api.conftest import Api


async def upload(running: Api, mark: str, *, redact: str = "", name: str = "") -> str:
    def requests() -> Iterator[pb.UploadMeetingRequest]:
        body = httpbody_pb2.HttpBody(content_type="audio/wav", data=excerpt(1, mark=mark))
        yield pb.UploadMeetingRequest(body=body, redact=redact, name=name)

    service = meetings_pb2_grpc.MeetingServiceStub(running.channel)
    answer = await service.UploadMeeting(requests(), metadata=running.metadata)
    return str(answer.file_hash)


async def set_policy(running: Api, redact: str) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(running.channel)
    policy = organization_pb2.OrganizationPolicy(redact=redact)
    await service.UpdateOrganization(
        organization_pb2.UpdateOrganizationRequest(policy=policy), metadata=running.metadata
    )


async def stored(owner: Database, file_hash: str) -> tuple[str, str]:
    row = await owner.run(lambda c: c.fetchrow("SELECT redact, name FROM meetings WHERE file_hash = $1", file_hash))
    assert row is not None
    return row["redact"], row["name"]


async def test_an_upload_adds_to_the_organization_s_kinds_and_its_name_is_redacted(api: Api, owner: Database) -> None:
    await set_policy(api, "email,card")
    first = await upload(api, "a", redact="Phone, card", name="ann@example.com at +14155550199")
    assert await stored(owner, first) == ("email,phone,card", "[EMAIL] at [PHONE]")
    second = await upload(api, "b", name="ann@example.com at +14155550199")
    assert await stored(owner, second) == ("email,card", "[EMAIL] at +14155550199")


async def test_later_changes_of_the_policy_do_not_concern_it(api: Api, owner: Database) -> None:
    first = await upload(api, "a", redact="phone")
    await set_policy(api, "name")
    assert await upload(api, "a") == first
    assert (await stored(owner, first))[0] == "phone"


async def test_more_kinds_of_a_known_recording_are_refused(api: Api) -> None:
    first = await upload(api, "a", redact="phone,email")
    assert await upload(api, "a", redact="email") == first
    with pytest.raises(aio.AioRpcError, match="redact: this recording was already analysed, redacting email,phone;"):
        await upload(api, "a", redact="email,iban")
    with pytest.raises(aio.AioRpcError, match="redact: must be one or several of email, phone, card, iban, name"):
        await upload(api, "b", redact="everything")
