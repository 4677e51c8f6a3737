"""The part of the worker that delivers to webhooks: each event at least once, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from privacy import log_context
from server.config import ServerSettings
from server.moments import utc_text
from server.monitoring import WEBHOOK_DELIVERIES, WEBHOOK_SECONDS, WEBHOOKS_PAUSED
from server.storage import (
    WEBHOOKS_CHANNEL,
    Database,
    DatabaseUnavailable,
    DueDelivery,
    DueRound,
    WebhookAttempt,
    WebhookLease,
    webhook_deliveries,
    webhooks,
)
from server.webhooks.keys import UnusableWebhookKeys, WebhookKeys
from server.webhooks.post import GONE, PostResult, WebhookPost
from server.webhooks.schedule import retry_delay_s, silence_s

# Webhooks that a worker sends to at once; of one organization at most so many.
WEBHOOKS_AT_ONCE, OF_ORGANIZATION = 8, 2
# Requests to one webhook at once.
REQUESTS_AT_ONCE = 4
# A webhook is left to others after so long, seconds, however much waits for it.
TURN_S = 30.0
# A lease outlasts a request by so much, seconds.
LEASE_MARGIN_S = 15.0
FORGET_EVERY_S, FORGOTTEN_AT_ONCE = 3600.0, 10_000
GONE_NOTE = "Paused by the server: the receiver answered 410 (gone)"
HOPELESS_NOTE = "Paused by the server: nothing could be delivered for a long time; the last attempt: {error}"
log = logging.getLogger(__name__)


class WebhookSender:
    """Deliver what waits, until cancelled."""

    def __init__(self, settings: ServerSettings, database: Database, keys: WebhookKeys, post: WebhookPost) -> None:
        self._settings, self._database = settings, database
        self._keys, self._post = keys, post
        self._lease_s = settings.webhook_timeout_s + LEASE_MARGIN_S
        self._wake = asyncio.Event()
        self._serving: Counter[UUID] = Counter()
        """Webhooks being served, by organization."""
        self._leasing = asyncio.Lock()

    async def run(self) -> None:
        """Deliver until cancelled; what was being sent then is sent again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._forget())
            for _ in range(WEBHOOKS_AT_ONCE):
                group.create_task(self._lease_and_serve())

    async def _listen(self) -> None:
        """Wake idle loops when something happens; polling covers times without a connection."""
        await self._database.keep_listening(WEBHOOKS_CHANNEL, lambda _: self._wake.set(), self._settings.poll_s)

    async def _lease_and_serve(self) -> None:
        while True:
            lease = None
            try:
                lease = await self._lease()
                if lease is not None:
                    with log_context(organization=lease.organization_id):
                        await self._serve(lease)
            except DatabaseUnavailable as error:
                log.warning("%s", error)
            except Exception:
                # Its lease ends by itself: the others go on.
                log.exception("a webhook could not be served")
                await asyncio.sleep(self._settings.poll_s)
            finally:
                if lease is not None:
                    self._leave(lease.organization_id)
            if lease is None:
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s):
                        await self._wake.wait()

    async def _lease(self) -> WebhookLease | None:
        """Lease a webhook of an organization that has a place left, and count it. Raises DatabaseUnavailable."""
        async with self._leasing:
            full = [organization for organization, count in self._serving.items() if count >= OF_ORGANIZATION]
            lease = await self._database.run(lambda c: webhook_deliveries.lease_due(c, self._lease_s, full))
            if lease is not None:
                self._serving[lease.organization_id] += 1
        return lease

    def _leave(self, organization_id: UUID) -> None:
        self._serving[organization_id] -= 1
        if not self._serving[organization_id]:
            del self._serving[organization_id]

    async def _serve(self, lease: WebhookLease) -> None:
        """Send what is due to one webhook, for one turn. Raises DatabaseUnavailable."""
        run = partial(self._database.run, organization_id=lease.organization_id)
        ends_at = time.monotonic() + TURN_S
        try:
            while time.monotonic() < ends_at:
                due = await run(lambda c: webhook_deliveries.take_due(c, lease, self._lease_s, REQUESTS_AT_ONCE))
                if due is None or not await self._send_round(lease, due):
                    break
        except asyncio.CancelledError:
            # Another worker need not wait for the end of the lease.
            await asyncio.shield(run(lambda c: webhook_deliveries.release(c, lease)))
            raise
        await run(lambda c: webhook_deliveries.release(c, lease))

    async def _send_round(self, lease: WebhookLease, due: DueRound) -> bool:
        """Send some deliveries at once, and store what became of them; return whether to go on."""
        try:
            sealed = filter(None, (due.secret, due.previous_secret))
            secrets = [self._keys.open(lease.webhook_id, secret) for secret in sealed]
        except UnusableWebhookKeys as error:
            log.error("webhook %s: %s", lease.webhook_id, error)
            results = [PostResult(0, str(error), 0) for _ in due.deliveries]
        else:
            results = await asyncio.gather(
                *(self._post.send(due.url, each.event_id, each.body, secrets) for each in due.deliveries)
            )
        attempts = [self._attempt(each, result) for each, result in zip(due.deliveries, results, strict=True)]
        failed = [attempt for attempt in attempts if not attempt.delivered]
        for attempt in attempts:
            WEBHOOK_DELIVERIES.labels("delivered" if attempt.delivered else "failed").inc()
            WEBHOOK_SECONDS.observe(attempt.ms / 1000)
        note = GONE_NOTE if any(result.status == GONE for result in results) else ""
        asked_s = max(result.asked_s for result in results)
        wait_s = silence_s(due.failures + len(failed), self._settings.webhook_retry_s, asked_s)
        store = partial(
            webhook_deliveries.record,
            lease=lease,
            attempts=attempts,
            give_up_s=self._settings.webhook_give_up_s,
            wait_s=wait_s,
        )
        hopeless = await self._database.run(store, organization_id=lease.organization_id)
        if hopeless and not note:
            note = HOPELESS_NOTE.format(error=failed[-1].error)
        if note:
            log.info("webhook %s is paused", lease.webhook_id)
            WEBHOOKS_PAUSED.inc()
            await self._database.run(
                lambda c: webhooks.pause(c, lease.organization_id, lease.webhook_id, note),
                organization_id=lease.organization_id,
            )
        return not note and len(failed) < len(attempts)

    def _attempt(self, delivery: DueDelivery, result: PostResult) -> WebhookAttempt:
        delay_s = retry_delay_s(delivery.attempts + 1, self._settings.webhook_retry_s, result.asked_s)
        now = utc_text(datetime.now(UTC))
        return WebhookAttempt(delivery.id, now, result.status, result.error, result.ms, delay_s)

    async def _forget(self) -> None:
        """Delete deliveries that are older than they are kept, now and every hour."""
        days = self._settings.webhook_log_days
        while True:
            try:
                while await self._database.run(lambda c: webhook_deliveries.delete_old(c, days, FORGOTTEN_AT_ONCE)):
                    pass
            except DatabaseUnavailable as error:
                log.warning("old deliveries to webhooks stay until the next time: %s", error)
            await asyncio.sleep(FORGET_EVERY_S)
