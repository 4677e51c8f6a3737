"""Webhooks over real gRPC: made, changed, tried and removed by owners, with a secret that is shown once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import webhooks_pb2 as pb
from meetra.v1 import webhooks_pb2_grpc

from privacy import write_private
from server.storage.pool import Database
from server.storage.webhook_events import EVENT_TYPES
from server.webhooks.webhooks import MAX_WEBHOOKS
from tests.server.api.conftest import Api, running_api
from tests.server.signing import tokens
from tests.server.storage.rows import HASH, make_user, ready_meeting
from tests.server.webhooks.receiver import receiving
from tests.server.webhooks.sending import KEY, sending

URL = "https://203.0.113.7/hook"
NETWORKS = "127.0.0.0/8,203.0.113.0/24"


@pytest.fixture
async def hooked(owner: Database, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """A server with webhooks, which may go to this machine."""
    keys = tmp_path / "webhook-keys"
    write_private(keys, KEY)
    async with running_api(
        owner, database, tmp_path / "audio", webhook_keys=keys, webhook_networks=NETWORKS
    ) as running:
        yield running


def stub(api: Api) -> Any:
    return webhooks_pb2_grpc.WebhookServiceStub(api.channel)  # type: ignore[no-untyped-call, unused-ignore]


async def made(api: Api, url: str = URL, **changed: Any) -> pb.CreateWebhookResponse:
    answer: pb.CreateWebhookResponse = await stub(api).CreateWebhook(
        pb.CreateWebhookRequest(url=url, **changed), metadata=api.metadata
    )
    return answer


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    return raised.value.code(), raised.value.details() or ""


async def test_a_webhook_shows_its_secret_once_and_no_answer_shows_it_again(
    hooked: Api, owner: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    new = await made(hooked, description="  CRM  ", events=["alert", "meeting.ready"])
    assert new.secret.startswith("whsec_")
    assert (new.webhook.url, new.webhook.description) == (URL, "CRM")
    assert list(new.webhook.events) == ["meeting.ready", "alert"]
    listed = await stub(hooked).ListWebhooks(pb.ListWebhooksRequest(), metadata=hooked.metadata)
    got = await stub(hooked).GetWebhook(pb.GetWebhookRequest(id=new.webhook.id), metadata=hooked.metadata)
    assert [got.webhook] == list(listed.webhooks) == [new.webhook]
    row = await owner.run(lambda c: c.fetch("SELECT w::text AS row FROM webhooks w"))
    secret = new.secret.removeprefix("whsec_")
    assert secret not in str(listed) + str(row) + " ".join(record.getMessage() for record in caplog.records)
    assert list((await made(hooked)).webhook.events) == list(EVENT_TYPES)


async def test_a_webhook_is_changed_paused_resumed_and_deleted(hooked: Api) -> None:
    id_ = (await made(hooked, description="old", events=["alert"])).webhook.id
    update = stub(hooked).UpdateWebhook
    paused = (await update(pb.UpdateWebhookRequest(id=id_, paused=True), metadata=hooked.metadata)).webhook
    assert (paused.paused, paused.note, paused.description) == (True, "Paused by a user", "old")
    assert paused.paused_at
    changes: dict[str, Any] = {"url": "https://203.0.113.8/", "description": "", "events": ["live.started"]}
    changed = (await update(pb.UpdateWebhookRequest(id=id_, **changes), metadata=hooked.metadata)).webhook
    assert (changed.url, changed.description, list(changed.events)) == tuple(changes.values())
    assert changed.paused
    resumed = (await update(pb.UpdateWebhookRequest(id=id_, paused=False), metadata=hooked.metadata)).webhook
    assert (resumed.paused, resumed.note, resumed.paused_at) == (False, "", "")
    await stub(hooked).DeleteWebhook(pb.DeleteWebhookRequest(id=id_), metadata=hooked.metadata)
    code, said = await refused(stub(hooked).GetWebhook(pb.GetWebhookRequest(id=id_), metadata=hooked.metadata))
    assert (code, said) == (grpc.StatusCode.NOT_FOUND, "Webhook not found")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no URL": ({"url": ""}, "url: give a URL"),
    "a private address": ({"url": "https://10.0.0.1/"}, "url: it is at an address that is not public"),
    "a file": ({"url": "file:///etc/passwd"}, "url: give a URL"),
    "plain HTTP": ({"url": "http://8.8.8.8/"}, "url: http is for"),
    "a long URL": ({"url": "https://example.org/" + "x" * 2000}, "url: give the URL in ASCII"),
    "unknown events": (
        {"url": URL, "events": ["meeting.ready", "x"]},
        "events: must be one or several of meeting.ready",
    ),
    "a test": ({"url": URL, "events": ["webhook.test"]}, "events: must be"),
    "a long description": ({"url": URL, "description": "x" * 201}, "description: 201 characters"),
    "an unreadable one": ({"url": URL, "description": "a\u202eb"}, "description: "),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_wrong_is_named(hooked: Api, case: str) -> None:
    fields, message = BAD[case]
    code, said = await refused(stub(hooked).CreateWebhook(pb.CreateWebhookRequest(**fields), metadata=hooked.metadata))
    assert (code, message in said) == (grpc.StatusCode.INVALID_ARGUMENT, True), said
    id_ = (await made(hooked)).webhook.id
    if fields["url"]:
        update = stub(hooked).UpdateWebhook(pb.UpdateWebhookRequest(id=id_, **fields), metadata=hooked.metadata)
        assert (await refused(update))[0] == grpc.StatusCode.INVALID_ARGUMENT


async def test_other_fields_are_checked_too(hooked: Api) -> None:
    id_ = (await made(hooked)).webhook.id
    calls = [
        stub(hooked).RotateWebhookSecret(
            pb.RotateWebhookSecretRequest(id=id_, keep_old_hours=169), metadata=hooked.metadata
        ),
        stub(hooked).RotateWebhookSecret(
            pb.RotateWebhookSecretRequest(id=id_, keep_old_hours=-1), metadata=hooked.metadata
        ),
        stub(hooked).GetWebhook(pb.GetWebhookRequest(id="1"), metadata=hooked.metadata),
        stub(hooked).ListWebhookDeliveries(
            pb.ListWebhookDeliveriesRequest(webhook_id=id_, state="lost"), metadata=hooked.metadata
        ),
        stub(hooked).ListWebhookDeliveries(
            pb.ListWebhookDeliveriesRequest(webhook_id=id_, page_size=1001), metadata=hooked.metadata
        ),
    ]
    assert {(await refused(call))[0] for call in calls} == {grpc.StatusCode.INVALID_ARGUMENT}
    unknown = str(uuid4())
    lost = [
        stub(hooked).TestWebhook(pb.TestWebhookRequest(id=unknown), metadata=hooked.metadata),
        stub(hooked).DeleteWebhook(pb.DeleteWebhookRequest(id=unknown), metadata=hooked.metadata),
        stub(hooked).RotateWebhookSecret(pb.RotateWebhookSecretRequest(id=unknown), metadata=hooked.metadata),
        stub(hooked).UpdateWebhook(pb.UpdateWebhookRequest(id=unknown, paused=True), metadata=hooked.metadata),
        stub(hooked).ListWebhookDeliveries(
            pb.ListWebhookDeliveriesRequest(webhook_id=unknown), metadata=hooked.metadata
        ),
        stub(hooked).ReplayWebhookDelivery(
            pb.ReplayWebhookDeliveryRequest(webhook_id=id_, id=unknown), metadata=hooked.metadata
        ),
        stub(hooked).ReplayFailedWebhookDeliveries(
            pb.ReplayFailedWebhookDeliveriesRequest(webhook_id=unknown), metadata=hooked.metadata
        ),
    ]
    assert {(await refused(call))[0] for call in lost} == {grpc.StatusCode.NOT_FOUND}


async def test_an_organization_has_so_many_webhooks_and_no_more(hooked: Api) -> None:
    calls = (made(hooked, url=f"{URL}/{n}") for n in range(MAX_WEBHOOKS + 3))
    results = await asyncio.gather(*calls, return_exceptions=True)
    failed = [result for result in results if isinstance(result, aio.AioRpcError)]
    assert len(failed) == 3
    assert {(error.code(), error.details()) for error in failed} == {
        (grpc.StatusCode.FAILED_PRECONDITION, "This organization has the limit of 20 webhooks; delete one first")
    }


async def test_only_owners_have_webhooks(hooked: Api, owner: Database) -> None:
    for role in ("member", "reader", "bot"):
        user = await make_user(owner, "Org", f"{role}@example.org", role)
        metadata = (("authorization", f"Bearer {tokens().issue(user.id, user.token_generation)}"),)
        code, _ = await refused(stub(hooked).ListWebhooks(pb.ListWebhooksRequest(), metadata=metadata))
        assert code == grpc.StatusCode.PERMISSION_DENIED


async def test_a_server_without_keys_has_no_webhooks(api: Api) -> None:
    code, said = await refused(made(api))
    assert (code, "MEETRA_WEBHOOK_KEYS" in said) == (grpc.StatusCode.FAILED_PRECONDITION, True)
    listed = await stub(api).ListWebhooks(pb.ListWebhooksRequest(), metadata=api.metadata)
    assert list(listed.webhooks) == []


async def test_a_webhook_is_tried_its_log_read_and_what_was_sent_replayed(
    hooked: Api, owner: Database, database: Database
) -> None:
    call = stub(hooked)
    async with receiving() as receiver, sending(database):
        new = await made(hooked, receiver.url)
        receiver.secret = new.secret
        test = (await call.TestWebhook(pb.TestWebhookRequest(id=new.webhook.id), metadata=hooked.metadata)).delivery
        assert (test.type, test.state) == ("webhook.test", "waiting")
        await ready_meeting(database, await make_user(owner, "Org", "a@example.org"))
        await receiver.until(lambda: len(receiver.accepted) == 2)

        async def page(**selected: Any) -> pb.ListWebhookDeliveriesResponse:
            request = pb.ListWebhookDeliveriesRequest(webhook_id=new.webhook.id, **selected)
            answer: pb.ListWebhookDeliveriesResponse = await call.ListWebhookDeliveries(
                request, metadata=hooked.metadata
            )
            return answer

        async with asyncio.timeout(240):
            while len((await page(state="delivered")).deliveries) < 2:
                await asyncio.sleep(0.05)
        first = await page(page_size=1)
        second = await page(page_size=1, page_token=first.next_page_token)
        assert [d.type for answer in (first, second) for d in answer.deliveries] == ["meeting.ready", "webhook.test"]
        assert second.next_page_token == ""
        ready = first.deliveries[0]
        assert [(attempt.status, attempt.error) for attempt in ready.log] == [(200, "")]
        assert ready.body == ""
        got = await call.GetWebhookDelivery(
            pb.GetWebhookDeliveryRequest(webhook_id=new.webhook.id, id=ready.id), metadata=hooked.metadata
        )
        assert HASH in got.delivery.body
        assert receiver.accepted[ready.event_id]["data"]["file_hash"] == HASH
        await call.ReplayWebhookDelivery(
            pb.ReplayWebhookDeliveryRequest(webhook_id=new.webhook.id, id=ready.id), metadata=hooked.metadata
        )
        await receiver.until(lambda: receiver.times[ready.event_id] == 2)
        bodies = {body for headers, body in receiver.got if headers["webhook-id"] == ready.event_id}
        assert bodies == {got.delivery.body}
    queued = await call.ReplayFailedWebhookDeliveries(
        pb.ReplayFailedWebhookDeliveriesRequest(webhook_id=new.webhook.id), metadata=hooked.metadata
    )
    assert queued.queued == 0


async def test_a_rotation_shows_a_new_secret_and_says_how_long_the_old_one_counts(hooked: Api) -> None:
    new = await made(hooked)
    rotate = stub(hooked).RotateWebhookSecret
    rotated = await rotate(pb.RotateWebhookSecretRequest(id=new.webhook.id), metadata=hooked.metadata)
    assert rotated.secret.startswith("whsec_")
    assert rotated.secret != new.secret
    assert rotated.webhook.old_secret_until > rotated.webhook.created_at
    at_once = await rotate(pb.RotateWebhookSecretRequest(id=new.webhook.id, keep_old_hours=0), metadata=hooked.metadata)
    assert at_once.webhook.old_secret_until == ""


async def test_a_paused_webhook_is_not_tried(hooked: Api) -> None:
    id_ = (await made(hooked)).webhook.id
    await stub(hooked).UpdateWebhook(pb.UpdateWebhookRequest(id=id_, paused=True), metadata=hooked.metadata)
    code, said = await refused(stub(hooked).TestWebhook(pb.TestWebhookRequest(id=id_), metadata=hooked.metadata))
    assert (code, "paused" in said) == (grpc.StatusCode.FAILED_PRECONDITION, True)
