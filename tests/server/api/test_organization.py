"""The caller's organization, over real gRPC."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.api import httpbody_pb2
from meetra.inference.v2 import model_pb2
from meetra.v1 import keys_pb2, keys_pb2_grpc, meetings_pb2, meetings_pb2_grpc, organization_pb2_grpc
from meetra.v1 import organization_pb2 as pb

from server.api.organization import analysis_model
from server.quotas import UNLIMITED
from server.storage.pool import Database
from tests.recordings import RATE_HZ, wav
from tests.server.api.conftest import Api, running_api
from tests.server.api.test_open_calls import bearer
from tests.server.api.test_users import refusal
from tests.server.storage.rows import make_user, queued_meeting


async def test_it_shows_what_the_organization_may_use_and_uses(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with running_api(owner, database, tmp_path, quota_minutes_per_day=60, quota_uploads_at_once=7) as api:
        user = await make_user(owner, "Org", "a@example.org")
        await queued_meeting(database, user, "c" * 64)
        await owner.run(
            lambda c: c.execute(
                "INSERT INTO organization_days (organization_id, upload_bytes, analysed_ms) VALUES ($1, 10, 60001)",
                user.organization_id,
            )
        )
        await owner.run(lambda c: c.execute("UPDATE organizations SET stored_bytes = $1", UNLIMITED))
        service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
        answer = await service.GetOrganization(pb.GetOrganizationRequest(), metadata=api.metadata)
    organization = answer.organization
    assert (organization.id, organization.name) == (str(user.organization_id), "Org")
    assert (organization.quotas.minutes_per_day, organization.quotas.uploads_at_once) == (60, 7)
    assert not organization.quotas.HasField("stored_bytes")
    assert organization.use == pb.OrganizationUse(upload_bytes_today=10, minutes_today=2, stored_bytes=1)
    # All settings are present, those that are off too.
    assert len(organization.policy.ListFields()) == len(pb.OrganizationPolicy.DESCRIPTOR.fields)


async def test_only_the_given_settings_change(api: Api) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    for policy in (pb.OrganizationPolicy(retention_audio_days=30), pb.OrganizationPolicy(retention_meeting_days=90)):
        await service.UpdateOrganization(pb.UpdateOrganizationRequest(policy=policy), metadata=api.metadata)
    off = pb.UpdateOrganizationRequest(policy=pb.OrganizationPolicy(retention_audio_days=0))
    changed = (await service.UpdateOrganization(off, metadata=api.metadata)).organization.policy
    assert (changed.retention_audio_days, changed.retention_meeting_days) == (0, 90)
    unchanged = await service.UpdateOrganization(pb.UpdateOrganizationRequest(), metadata=api.metadata)
    assert unchanged.organization.policy == changed
    assert (
        await service.GetOrganization(pb.GetOrganizationRequest(), metadata=api.metadata)
    ).organization.policy == changed


@pytest.mark.parametrize("days", [-1, 36_501, 2**31 - 1], ids=["negative", "a century", "the largest"])
async def test_a_setting_out_of_range_is_named(api: Api, days: int) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    request = pb.UpdateOrganizationRequest(policy=pb.OrganizationPolicy(retention_transcript_days=days))
    assert await refusal(service.UpdateOrganization(request, metadata=api.metadata)) == (
        "INVALID_ARGUMENT",
        f"Bad request: policy.retention_transcript_days: {days}; must be 1 to 36500 days, or 0 for never",
    )


async def test_readers_see_it_and_owners_alone_change_it(api: Api, owner: Database) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)

    async def outcomes(role: str) -> list[str]:
        await make_user(owner, "Org", f"{role}@example.org", role)
        metadata = await bearer(api, "Org", f"{role}@example.org")
        calls: list[Any] = [
            service.GetOrganization(pb.GetOrganizationRequest(), metadata=metadata),
            service.UpdateOrganization(pb.UpdateOrganizationRequest(), metadata=metadata),
        ]
        said = []
        for call in calls:
            try:
                await call
                said.append("OK")
            except Exception as error:
                said.append(error.code().name)  # type: ignore[attr-defined]
        return said

    assert await outcomes("reader") == ["OK", "PERMISSION_DENIED"]
    assert await outcomes("member") == ["OK", "PERMISSION_DENIED"]
    assert await outcomes("bot") == ["PERMISSION_DENIED", "PERMISSION_DENIED"]


async def test_receipts_of_deletions_are_for_owners_and_listed_by_page(api: Api, owner: Database) -> None:
    service, meetings = (
        organization_pb2_grpc.OrganizationServiceStub(api.channel),
        meetings_pb2_grpc.MeetingServiceStub(api.channel),
    )
    hashes = []
    for number in range(3):
        pcm = np.full(RATE_HZ // 4, number, np.int16)
        hashes.append((await api.upload(wav(pcm))).file_hash)
        await meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash=hashes[-1]), metadata=api.metadata)
    first = await service.ListDeletions(pb.ListDeletionsRequest(page_size=2), metadata=api.metadata)
    assert [receipt.file_hash for receipt in first.deletions] == hashes[:0:-1]
    newest = first.deletions[0]
    assert (newest.part, newest.reason, newest.email) == ("meeting", "request", "a@example.org")
    assert dict(newest.rows) == {"jobs": 1, "meeting_names": 1, "meetings": 1}
    assert (newest.files, newest.bytes > 100) == (1, True)
    assert newest.HasField("files_removed_at")
    assert not newest.HasField("purged_at")
    token = first.next_page_token
    rest = await service.ListDeletions(pb.ListDeletionsRequest(page_token=token), metadata=api.metadata)
    assert ([receipt.file_hash for receipt in rest.deletions], rest.next_page_token) == (hashes[:1], "")
    one = await service.ListDeletions(pb.ListDeletionsRequest(file_hash=hashes[1]), metadata=api.metadata)
    assert [receipt.file_hash for receipt in one.deletions] == [hashes[1]]
    wrong = service.ListDeletions(pb.ListDeletionsRequest(file_hash="x"), metadata=api.metadata)
    assert (await refusal(wrong))[0] == "INVALID_ARGUMENT"
    await make_user(owner, "Org", "member@example.org", "member")
    member = await bearer(api, "Org", "member@example.org")
    assert (await refusal(service.ListDeletions(pb.ListDeletionsRequest(), metadata=member)))[0] == "PERMISSION_DENIED"


async def test_usage_is_for_owners_by_month_and_key(api: Api, owner: Database) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    keys = keys_pb2_grpc.KeyServiceStub(api.channel)
    made = await keys.CreateKey(keys_pb2.CreateKeyRequest(name="Bot", scopes=["upload"]), metadata=api.metadata)
    uploads = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    await api.upload(wav(np.full(RATE_HZ * 2, 1, np.int16)))
    body = httpbody_pb2.HttpBody(content_type="audio/wav", data=wav(np.full(RATE_HZ, 2, np.int16)))
    metadata = (("authorization", f"Bearer {made.secret}"),)
    await uploads.UploadMeeting(iter([meetings_pb2.UploadMeetingRequest(body=body)]), metadata=metadata)
    first = await service.GetUsage(pb.GetUsageRequest(page_size=1), metadata=api.metadata)
    rest = await service.GetUsage(
        pb.GetUsageRequest(page_size=1, page_token=first.next_page_token), metadata=api.metadata
    )
    (month,) = first.months
    assert (month.month, month.analyses, month.audio_minutes) == (f"{datetime.now(UTC):%Y-%m}", 2, 0.05)
    assert (list(rest.months), rest.next_page_token) == ([month], "")
    found = {entry.key_name: entry for entry in (*first.usage, *rest.usage)}
    assert (found["Bot"].key_id, found["Bot"].email, found["Bot"].analyses) == (made.key.id, "a@example.org", 1)
    assert (found["Bot"].audio_minutes, found[""].audio_minutes, found[""].HasField("key_id")) == (0.02, 0.03, False)
    for months in (-1, 121):
        refused = service.GetUsage(pb.GetUsageRequest(months=months), metadata=api.metadata)
        assert (await refusal(refused))[0] == "INVALID_ARGUMENT"
    await make_user(owner, "Org", "member@example.org", "member")
    member = await bearer(api, "Org", "member@example.org")
    assert (await refusal(service.GetUsage(pb.GetUsageRequest(), metadata=member)))[0] == "PERMISSION_DENIED"


async def test_models_are_not_listed_while_the_engine_does_not_answer(api: Api) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    status, _ = await refusal(service.ListModels(pb.ListModelsRequest(), metadata=api.metadata))
    assert status == "UNAVAILABLE"


def test_a_model_is_shown_with_its_licence_as_far_as_it_is_known() -> None:
    known = model_pb2.Model(task=model_pb2.TASK_SENTIMENT, name="m", licence="MIT", commercial_use=True)
    assert analysis_model(known) == pb.AnalysisModel(task="sentiment", name="m", licence="MIT", commercial_use=True)
    unknown = analysis_model(model_pb2.Model(task=model_pb2.TASK_EMOTIONS, name="folder/m.onnx", version="ab12"))
    assert unknown == pb.AnalysisModel(task="emotions", name="folder/m.onnx", version="ab12")
    assert not unknown.HasField("commercial_use")
