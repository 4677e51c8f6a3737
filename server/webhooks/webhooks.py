"""Webhooks of an organization: made, changed, tried and removed by its owners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from server.errors import (
    BadRequest,
    TooManyWebhooks,
    WebhookDeliveryNotFound,
    WebhookNotFound,
    WebhookPaused,
    WebhooksOff,
)
from server.storage import (
    Connection,
    Database,
    WebhookDeliveryRow,
    WebhookRow,
    webhook_deliveries,
    webhook_events,
    webhooks,
)
from server.webhooks.destinations import DestinationRefused, Destinations
from server.webhooks.keys import WebhookKeys, new_webhook_secret

MAX_WEBHOOKS = 20
# Deliveries that one call queues again.
MAX_REPLAYED = 1000
PAUSED_NOTE = "Paused by a user"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook with a secret that is shown once."""

    row: WebhookRow
    secret: str


class Webhooks:
    """The webhooks of organizations; each call names one."""

    def __init__(self, database: Database, keys: WebhookKeys | None, destinations: Destinations) -> None:
        """``keys``: None: there are no webhooks on this server."""
        self._database, self._keys, self._destinations = database, keys, destinations

    async def create(self, organization_id: UUID, url: str, description: str, events: Sequence[str]) -> NewWebhook:
        """Make a webhook. Raises WebhooksOff, BadRequest, TooManyWebhooks."""
        keys = self._require_keys()
        checked = await self._checked(url)
        id_, secret = uuid4(), new_webhook_secret()
        sealed = keys.seal(id_, secret)

        async def work(connection: Connection) -> WebhookRow:
            # Once more, where the connection broke and the webhook is there: it counts.
            known = await webhooks.find(connection, organization_id, id_)
            if known is None and await webhooks.lock_count(connection, organization_id) >= MAX_WEBHOOKS:
                raise TooManyWebhooks(MAX_WEBHOOKS)
            await webhooks.add(
                connection, organization_id, id_, url=checked, description=description, events=events, secret=sealed
            )
            return await _found(connection, organization_id, id_)

        return NewWebhook(await self._database.run(work, organization_id=organization_id), secret)

    async def list_all(self, organization_id: UUID) -> list[WebhookRow]:
        """Return all webhooks, oldest first."""
        return await self._database.run(
            lambda c: webhooks.list_all(c, organization_id), organization_id=organization_id
        )

    async def get(self, organization_id: UUID, id_: UUID) -> WebhookRow:
        """Return a webhook. Raises WebhookNotFound."""
        return await self._database.run(lambda c: _found(c, organization_id, id_), organization_id=organization_id)

    async def change(
        self,
        organization_id: UUID,
        id_: UUID,
        *,
        url: str | None,
        description: str | None,
        events: Sequence[str] | None,
        paused: bool | None,
    ) -> WebhookRow:
        """Change what is not None. Raises WebhookNotFound, BadRequest."""
        checked = await self._checked(url) if url is not None else None

        async def work(connection: Connection) -> WebhookRow:
            await _found(connection, organization_id, id_)
            await webhooks.change(connection, organization_id, id_, url=checked, description=description, events=events)
            if paused:
                await webhooks.pause(connection, organization_id, id_, PAUSED_NOTE)
            elif paused is not None:
                await webhooks.resume(connection, organization_id, id_)
            return await _found(connection, organization_id, id_)

        return await self._database.run(work, organization_id=organization_id)

    async def rotate_secret(self, organization_id: UUID, id_: UUID, keep_hours: int) -> NewWebhook:
        """Give a webhook a new secret. Raises WebhooksOff, WebhookNotFound.

        Args:
            keep_hours: how long requests are signed with the secret before, too.
        """
        secret = new_webhook_secret()
        sealed = self._require_keys().seal(id_, secret)

        async def work(connection: Connection) -> WebhookRow:
            if not await webhooks.replace_secret(connection, organization_id, id_, sealed, keep_hours):
                raise WebhookNotFound
            return await _found(connection, organization_id, id_)

        return NewWebhook(await self._database.run(work, organization_id=organization_id), secret)

    async def delete(self, organization_id: UUID, id_: UUID) -> None:
        """Delete a webhook; what waits is not sent. Raises WebhookNotFound."""
        deleted = await self._database.run(
            lambda c: webhooks.delete(c, organization_id, id_), organization_id=organization_id
        )
        if not deleted:
            raise WebhookNotFound

    async def test(self, organization_id: UUID, id_: UUID) -> WebhookDeliveryRow:
        """Queue a test, and return its delivery. Raises WebhooksOff, WebhookNotFound, WebhookPaused."""
        self._require_keys()

        async def work(connection: Connection) -> WebhookDeliveryRow:
            row = await _found(connection, organization_id, id_)
            delivery_id = None if row.paused_at else await webhook_events.add_test(connection, id_)
            if delivery_id is None:
                raise WebhookPaused
            return await _found_delivery(connection, organization_id, id_, delivery_id)

        return await self._database.run(work, organization_id=organization_id)

    async def list_deliveries(
        self,
        organization_id: UUID,
        webhook_id: UUID,
        limit: int,
        before: tuple[datetime, UUID] | None,
        state: str | None,
    ) -> list[WebhookDeliveryRow]:
        """Return at most ``limit`` deliveries, newest first, after the one of that time and id.

        Raises WebhookNotFound.
        """

        async def work(connection: Connection) -> list[WebhookDeliveryRow]:
            await _found(connection, organization_id, webhook_id)
            return await webhook_deliveries.list_page(connection, organization_id, webhook_id, limit, before, state)

        return await self._database.run(work, organization_id=organization_id)

    async def get_delivery(self, organization_id: UUID, webhook_id: UUID, id_: UUID) -> WebhookDeliveryRow:
        """Return a delivery. Raises WebhookDeliveryNotFound."""
        find = partial(_found_delivery, organization_id=organization_id, webhook_id=webhook_id, id_=id_)
        return await self._database.run(find, organization_id=organization_id)

    async def replay(self, organization_id: UUID, webhook_id: UUID, id_: UUID) -> WebhookDeliveryRow:
        """Queue a delivery once more, whatever became of it. Raises WebhookDeliveryNotFound."""

        async def work(connection: Connection) -> WebhookDeliveryRow:
            await webhook_deliveries.replay(connection, organization_id, webhook_id, id_, 1)
            return await _found_delivery(connection, organization_id, webhook_id, id_)

        return await self._database.run(work, organization_id=organization_id)

    async def replay_failed(self, organization_id: UUID, webhook_id: UUID) -> int:
        """Queue the newest deliveries that have failed once more; return how many. Raises WebhookNotFound."""

        async def work(connection: Connection) -> int:
            await _found(connection, organization_id, webhook_id)
            return await webhook_deliveries.replay(connection, organization_id, webhook_id, None, MAX_REPLAYED)

        return await self._database.run(work, organization_id=organization_id)

    def _require_keys(self) -> WebhookKeys:
        if self._keys is None:
            raise WebhooksOff
        return self._keys

    async def _checked(self, url: str) -> str:
        try:
            return await self._destinations.check(url)
        except DestinationRefused as error:
            raise BadRequest("url", str(error)) from None


async def _found(connection: Connection, organization_id: UUID, id_: UUID) -> WebhookRow:
    row = await webhooks.find(connection, organization_id, id_)
    if row is None:
        raise WebhookNotFound
    return row


async def _found_delivery(
    connection: Connection, organization_id: UUID, webhook_id: UUID, id_: UUID
) -> WebhookDeliveryRow:
    row = await webhook_deliveries.find(connection, organization_id, webhook_id, id_)
    if row is None:
        raise WebhookDeliveryNotFound
    return row
