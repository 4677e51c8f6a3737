"""The sender on a real database against real receivers: each event arrives, and nobody holds up another."""

from __future__ import annotations

import asyncio
import logging

import pytest

from server.storage import webhooks
from server.storage.pool import Database
from server.webhooks import new_webhook_secret
from tests.monitoring.counting import counting
from tests.server.webhooks.receiver import Receiver, receiving
from tests.server.webhooks.sending import KEYS, Hook, sending


async def test_what_happens_is_sent_and_the_log_says_so(owner: Database, database: Database) -> None:
    with counting("meetra_webhook") as counted:
        async with receiving() as receiver, sending(database):
            hook = await Hook.to(receiver, owner, database)
            await hook.happen(9)
            rows = await hook.settled()
    assert counted["meetra_webhook_deliveries_total{outcome=delivered}"] == 9
    assert counted["meetra_webhook_delivery_duration_seconds_count"] == 9
    assert {row.state for row in rows} == {"delivered"}
    assert set(receiver.accepted) == {str(row.event_id) for row in rows}
    assert [(row.attempts, row.log[0]["status"], row.log[0]["error"]) for row in rows] == [(1, 200, "")] * 9
    assert all(row.delivered_at and row.next_at is None for row in rows)
    assert set(receiver.times.values()) == {1}


async def test_a_receiver_that_fails_for_a_while_gets_everything_in_the_end(
    owner: Database, database: Database
) -> None:
    receiver = Receiver(status="500 No")
    async with receiver.up():
        hook = await Hook.to(receiver, owner, database)
    async with sending(database):
        # Nobody is there, then it breaks, then it is right.
        await hook.happen(5)
        async with asyncio.timeout(240):
            while (await hook.row()).failures < 3:
                await asyncio.sleep(0.05)
        async with receiver.up():
            await receiver.until(lambda: len(receiver.got) >= 3)
            receiver.status = "200 OK"
            rows = await hook.settled()
    assert {row.state for row in rows} == {"delivered"}
    assert set(receiver.accepted) == {str(row.event_id) for row in rows}
    assert max(row.attempts for row in rows) > 1
    row = await hook.row()
    assert (row.failures, row.failing_since, row.paused_at) == (0, None, None)


async def test_gone_pauses_at_once_and_what_waits_is_sent_after_the_pause(owner: Database, database: Database) -> None:
    async with receiving(status="410 Gone") as receiver, sending(database):
        hook = await Hook.to(receiver, owner, database)
        with counting("meetra_webhook") as counted:
            await hook.happen()
            row = await hook.paused()
        assert counted["meetra_webhook_deliveries_total{outcome=failed}"] == 1
        assert counted["meetra_webhooks_paused_total"] == 1
        assert row.note == "Paused by the server: the receiver answered 410 (gone)"
        await hook.happen(3)
        assert row.waiting == 1
        asked = len(receiver.got)
        receiver.status = "200 OK"
        await hook.run(lambda c: webhooks.resume(c, hook.organization_id, hook.id))
        rows = await hook.settled()
    assert asked == 1
    assert len(receiver.accepted) == 4
    assert {row.state for row in rows} == {"delivered"}


async def test_failure_without_end_pauses_with_the_reason(owner: Database, database: Database) -> None:
    async with receiving(status="503 No") as receiver, sending(database, webhook_give_up_s=1.0):
        hook = await Hook.to(receiver, owner, database)
        await hook.happen()
        row = await hook.paused()
        assert row.note.endswith("nothing could be delivered for a long time; the last attempt: HTTP status 503")
        (delivery,) = await hook.deliveries("failed")
        assert delivery.attempts > 1


async def test_one_event_that_is_refused_does_not_hold_up_the_others(owner: Database, database: Database) -> None:
    async with receiving() as receiver, sending(database, webhook_retry_s=600.0):
        hook = await Hook.to(receiver, owner, database)
        await hook.happen()
        refused = str((await hook.deliveries())[0].event_id)
        # Told by its id: the bodies of tests are alike.
        receiver.answer_to = lambda _: "500 No" if receiver.got[-1][0]["webhook-id"] == refused else "200 OK"
        async with asyncio.timeout(240):
            while (await hook.deliveries("waiting"))[:1] and refused not in receiver.times:
                await asyncio.sleep(0.05)
        await owner.run(lambda c: c.execute("UPDATE webhooks SET not_before = now()"))
        await hook.happen(5)
        await receiver.until(lambda: len(receiver.times) == 6)
    assert len(receiver.accepted) >= 5


async def test_a_private_address_is_refused_with_a_note_in_the_log(owner: Database, database: Database) -> None:
    async with receiving() as receiver, sending(database, networks="", webhook_give_up_s=0.2):
        hook = await Hook.to(receiver, owner, database, url=f"https://localhost:{receiver.port}/")
        await hook.happen()
        row = await hook.paused()
        (delivery,) = await hook.deliveries("failed")
    assert "not public; MEETRA_WEBHOOK_NETWORKS" in row.note
    assert {entry["status"] for entry in delivery.log} == {0}
    assert receiver.got == []


async def test_after_a_rotation_both_secrets_verify(owner: Database, database: Database) -> None:
    async with receiving() as receiver:
        hook, fresh = await Hook.to(receiver, owner, database), new_webhook_secret()
        sealed = KEYS.seal(hook.id, fresh)
        await hook.run(lambda c: webhooks.replace_secret(c, hook.organization_id, hook.id, sealed, 24))
        async with sending(database):
            for secret in (receiver.secret, fresh):
                receiver.secret = secret
                await hook.happen()
                await hook.settled()
        assert len(receiver.accepted) == 2
        # With none of them: the receiver breaks off, and that is a failure.
        receiver.secret = new_webhook_secret()


async def test_a_secret_that_no_key_opens_fails_and_says_why(owner: Database, database: Database) -> None:
    async with receiving() as receiver, sending(database, webhook_give_up_s=0.2):
        hook = await Hook.to(receiver, owner, database)
        await hook.run(lambda c: webhooks.replace_secret(c, hook.organization_id, hook.id, b"damaged", 0))
        await hook.happen()
        assert "no key of webhooks decrypts the secret" in (await hook.paused()).note
    assert receiver.got == []


async def test_slow_receivers_of_one_organization_do_not_hold_up_another(owner: Database, database: Database) -> None:
    async with receiving(delay_s=3600) as slow, receiving() as quick, sending(database, webhook_timeout_s=60.0):
        hooks = [await Hook.to(slow, owner, database, "Slow") for _ in range(12)]
        for hook in hooks:
            await hook.happen()
        await slow.until(lambda: len(slow.got) == 2)
        prompt = await Hook.to(quick, owner, database, "Quick")
        await prompt.happen(20)
        await quick.until(lambda: len(quick.accepted) == 20)
        assert len(slow.got) == 2


async def test_a_sender_that_is_stopped_leaves_its_webhook_to_others_at_once(
    owner: Database, database: Database
) -> None:
    async with receiving(delay_s=3600) as receiver:
        async with sending(database, webhook_timeout_s=60.0):
            hook = await Hook.to(receiver, owner, database)
            await hook.happen()
            await receiver.until(lambda: len(receiver.got) == 1)
        assert await owner.run(lambda c: c.fetchval("SELECT lease_until FROM webhooks")) is None
        receiver.delay_s = 0.0
        async with sending(database):
            (delivery,) = await hook.settled()
    # The attempt that was cut off is not counted.
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    assert receiver.times[str(delivery.event_id)] == 2


async def test_neither_secrets_nor_urls_get_into_the_log(
    owner: Database, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with receiving(status="410 Gone") as receiver, sending(database):
        hook = await Hook.to(receiver, owner, database)
        await hook.happen()
        await hook.paused()
    said = " ".join(record.getMessage() for record in caplog.records)
    assert f"webhook {hook.id} is paused" in said
    assert receiver.secret not in said
    assert "hidden" not in said
