"""Deliveries on a real database: leases and fences, what attempts lead to, replays, and what is forgotten."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from server.storage import webhook_deliveries, webhook_events, webhooks
from server.storage.pool import Database
from server.storage.webhook_deliveries import MAX_LOG, DueRound, WebhookAttempt, WebhookDeliveryRow, WebhookLease
from tests.server.storage.rows import make_user, new_webhook

DAY_S = 24 * 3600.0


class Queue:
    """One webhook and what waits for it."""

    def __init__(self, owner: Database, database: Database, organization_id: UUID, webhook_id: UUID) -> None:
        self.owner, self.database = owner, database
        self.organization_id, self.webhook_id = organization_id, webhook_id
        self.run = partial(database.run, organization_id=organization_id)

    @classmethod
    async def of(cls, owner: Database, database: Database, organization: str = "Org", waiting: int = 1) -> Queue:
        organization_id = (await make_user(owner, organization)).organization_id
        queue = cls(owner, database, organization_id, await new_webhook(database, organization_id))
        for _ in range(waiting):
            await queue.add()
        return queue

    async def add(self) -> UUID:
        id_ = await self.run(lambda c: webhook_events.add_test(c, self.webhook_id))
        assert id_ is not None
        return id_

    async def take(self, lease: WebhookLease, most: int = 10) -> DueRound | None:
        return await self.run(lambda c: webhook_deliveries.take_due(c, lease, 30, most))

    async def record(self, lease: WebhookLease, *attempts: WebhookAttempt, give_up_s: float = DAY_S) -> bool:
        return await self.run(
            lambda c: webhook_deliveries.record(c, lease, list(attempts), give_up_s=give_up_s, wait_s=0.0)
        )

    async def rows(self, state: str | None = None) -> list[WebhookDeliveryRow]:
        return await self.run(
            lambda c: webhook_deliveries.list_page(c, self.organization_id, self.webhook_id, 100, None, state)
        )

    async def webhook(self) -> Any:
        return await self.run(lambda c: webhooks.find(c, self.organization_id, self.webhook_id))

    async def age(self, column: str, seconds: float) -> None:
        """Moves what happened into the past."""
        table = "webhooks" if column in ("failing_since", "not_before") else "webhook_deliveries"
        await self.owner.run(
            lambda c: c.execute(f"UPDATE {table} SET {column} = {column} - $1 * interval '1 s'", seconds)
        )


async def leased(database: Database, *passed_over: UUID, lease_s: float = 30) -> WebhookLease | None:
    return await database.run(lambda c: webhook_deliveries.lease_due(c, lease_s, list(passed_over)))


async def holds(database: Database, *passed_over: UUID, lease_s: float = 30) -> WebhookLease:
    lease = await leased(database, *passed_over, lease_s=lease_s)
    assert lease is not None
    return lease


def attempt(delivery_id: UUID, error: str = "", retry_after_s: float = 0.0) -> WebhookAttempt:
    return WebhookAttempt(delivery_id, "2026-11-29T10:00:00+00:00", 500 if error else 200, error, 7, retry_after_s)


async def test_a_webhook_is_leased_by_one_and_whoever_waited_longest_comes_first(
    owner: Database, database: Database
) -> None:
    ours, theirs = await Queue.of(owner, database), await Queue.of(owner, database, "Theirs")
    first, second = await holds(database), await holds(database)
    assert {first.webhook_id, second.webhook_id} == {ours.webhook_id, theirs.webhook_id}
    assert await leased(database) is None
    for lease in (first, second):
        release = partial(webhook_deliveries.release, lease=lease)
        await database.run(release, organization_id=lease.organization_id)
    assert (await holds(database)).webhook_id == first.webhook_id
    assert await leased(database, second.organization_id) is None


async def test_what_is_paused_waits_or_has_nothing_to_send_is_not_leased(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database, waiting=0)
    assert await leased(database) is None
    await queue.add()
    await queue.run(lambda c: webhooks.pause(c, queue.organization_id, queue.webhook_id, "why"))
    assert await leased(database) is None
    await queue.run(lambda c: webhooks.resume(c, queue.organization_id, queue.webhook_id))
    await queue.age("not_before", -60)
    assert await leased(database) is None
    await queue.age("not_before", 60)
    await queue.age("next_at", -60)
    assert await leased(database) is None
    await queue.age("next_at", 60)
    assert await leased(database) is not None


async def test_who_lost_the_lease_changes_nothing(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database)
    lost = await holds(database, lease_s=0)
    (due,) = (await queue.take(lost, 1) or DueRound("", b"", None, 0, [])).deliveries
    await owner.run(lambda c: c.execute("UPDATE webhooks SET lease_until = now() - interval '1 s'"))
    holder = await holds(database)
    assert holder.fence == lost.fence + 1
    assert await queue.take(lost) is None
    assert not await queue.record(lost, attempt(due.id))
    assert [row.state for row in await queue.rows()] == ["waiting"]
    await queue.run(lambda c: webhook_deliveries.release(c, lost))
    assert await leased(database) is None
    await queue.record(holder, attempt(due.id))
    assert [(row.state, row.attempts) for row in await queue.rows()] == [("delivered", 1)]


async def test_a_round_has_the_secrets_that_are_valid_and_the_oldest_deliveries(
    owner: Database, database: Database
) -> None:
    queue = await Queue.of(owner, database, waiting=3)
    lease = await holds(database)
    assert await queue.run(lambda c: webhooks.replace_secret(c, queue.organization_id, queue.webhook_id, b"new", 1))
    due = await queue.take(lease, 2)
    assert due is not None
    assert (due.url, due.secret, due.previous_secret) == ("https://receiver.example/", b"new", b"sealed")
    oldest = sorted(await queue.rows(), key=lambda row: row.created_at)[:2]
    assert [delivery.id for delivery in due.deliveries] == [row.id for row in oldest]
    assert '"webhook.test"' in due.deliveries[0].body
    await owner.run(lambda c: c.execute("UPDATE webhooks SET previous_until = now() - interval '1 s'"))
    due = await queue.take(lease, 2)
    assert due is not None
    assert due.previous_secret is None


async def test_a_failure_waits_and_is_given_up_after_a_day(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database)
    lease = await holds(database)
    (row,) = await queue.rows()
    assert not await queue.record(lease, attempt(row.id, "HTTP status 500", retry_after_s=5000))
    (row,) = await queue.rows("waiting")
    assert (row.attempts, row.log[-1]["error"]) == (1, "HTTP status 500")
    assert row.next_at is not None
    assert await queue.take(lease) is None
    # Nothing was delivered in the meantime: there is no hope, and the caller pauses the webhook.
    await queue.age("first_attempt_at", DAY_S)
    await queue.age("failing_since", DAY_S)
    assert await queue.record(lease, attempt(row.id, "HTTP status 502"))
    (row,) = await queue.rows("failed")
    assert (row.attempts, row.next_at, row.delivered_at) == (2, None, None)
    webhook = await queue.webhook()
    assert (webhook.failures, webhook.failing_since is not None, webhook.waiting) == (2, True, 0)


async def test_one_delivery_that_is_given_up_is_no_reason_to_pause(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database, waiting=2)
    lease = await holds(database)
    bad, good = [row.id for row in await queue.rows()]
    await queue.record(lease, attempt(bad, "HTTP status 500"), attempt(good))
    await queue.age("first_attempt_at", DAY_S)
    assert not await queue.record(lease, attempt(bad, "HTTP status 500"))
    assert {row.id for row in await queue.rows("failed")} == {bad}


async def test_after_a_long_failure_the_first_success_sends_what_waits_at_once(
    owner: Database, database: Database
) -> None:
    queue = await Queue.of(owner, database, waiting=4)
    lease = await holds(database)
    *failing, last = [row.id for row in await queue.rows()]
    await queue.record(lease, *(attempt(id_, "no connection", retry_after_s=3600) for id_ in failing))
    due = await queue.take(lease)
    assert due is not None
    assert [delivery.id for delivery in due.deliveries] == [last]
    await queue.record(lease, attempt(last))
    due = await queue.take(lease)
    assert due is not None
    assert {delivery.id for delivery in due.deliveries} == set(failing)
    webhook = await queue.webhook()
    assert (webhook.failures, webhook.failing_since) == (0, None)


async def test_the_log_of_a_delivery_is_bounded(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database)
    lease = await holds(database)
    (row,) = await queue.rows()
    for number in range(MAX_LOG + 3):
        await queue.record(lease, attempt(row.id, f"failure {number}"))
    (row,) = await queue.rows()
    assert row.attempts == MAX_LOG + 3
    assert [entry["error"] for entry in row.log] == [f"failure {n}" for n in range(3, MAX_LOG + 3)]


async def test_deliveries_are_replayed_one_by_one_or_all_that_failed(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database, waiting=4)
    lease = await holds(database)
    delivered, *failed = [row.id for row in await queue.rows()]
    await queue.record(lease, attempt(delivered))
    await queue.record(lease, *(attempt(id_, "no", 9) for id_ in failed), give_up_s=0.0)
    replay = partial(webhook_deliveries.replay, organization_id=queue.organization_id, webhook_id=queue.webhook_id)
    assert await queue.run(partial(replay, id_=delivered, most=1)) == 1
    assert await queue.run(partial(replay, id_=uuid4(), most=1)) == 0
    assert await queue.run(partial(replay, id_=None, most=2)) == 2
    assert len(await queue.rows("failed")) == 1
    waiting = await queue.rows("waiting")
    assert {row.id for row in waiting} >= {delivered}
    # When it was delivered before stays in the log.
    assert {(row.attempts, len(row.log)) for row in waiting} == {(0, 1)}


async def test_old_deliveries_are_forgotten_and_then_their_events(owner: Database, database: Database) -> None:
    queue = await Queue.of(owner, database, waiting=3)
    old = (await queue.rows())[0].id
    await owner.run(
        lambda c: c.execute("UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE id = $1", old)
    )
    await owner.run(lambda c: c.execute("UPDATE webhook_events SET created_at = now() - interval '31 days'"))
    assert await database.run(lambda c: webhook_deliveries.delete_old(c, 30, 100)) == 2
    assert await database.run(lambda c: webhook_deliveries.delete_old(c, 30, 100)) == 0
    assert old not in [row.id for row in await queue.rows()]
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM webhook_events")) == 2
