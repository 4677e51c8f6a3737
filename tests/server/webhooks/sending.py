"""A sender of webhooks on a real database, and what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from server.config import ServerSettings
from server.storage import WebhookDeliveryRow, WebhookRow, webhook_deliveries, webhook_events, webhooks
from server.storage.pool import Database
from server.webhooks import Destinations, WebhookKeys, WebhookPost, WebhookSender, new_webhook_secret
from tests.server.storage.rows import make_user, new_webhook
from tests.server.webhooks.receiver import Receiver

KEY = "k" * 43
KEYS = WebhookKeys([KEY])


class Hook:
    """A webhook of an organization, whose requests a receiver verifies."""

    def __init__(self, database: Database, organization_id: UUID, id_: UUID) -> None:
        self.organization_id, self.id = organization_id, id_
        self.run = partial(database.run, organization_id=organization_id)

    @classmethod
    async def to(
        cls, receiver: Receiver, owner: Database, database: Database, organization: str = "Org", url: str = ""
    ) -> Hook:
        organization_id, id_ = (await make_user(owner, organization)).organization_id, uuid4()
        receiver.secret = receiver.secret or new_webhook_secret()
        sealed = KEYS.seal(id_, receiver.secret)
        await new_webhook(database, organization_id, url=url or receiver.url, secret=sealed, id_=id_)
        return cls(database, organization_id, id_)

    async def happen(self, count: int = 1) -> None:
        """Something happens that it is told."""
        for _ in range(count):
            await self.run(lambda c: webhook_events.add_test(c, self.id))

    async def row(self) -> WebhookRow:
        row = await self.run(lambda c: webhooks.find(c, self.organization_id, self.id))
        assert row is not None
        return row

    async def deliveries(self, state: str | None = None) -> list[WebhookDeliveryRow]:
        return await self.run(
            lambda c: webhook_deliveries.list_page(c, self.organization_id, self.id, 1000, None, state)
        )

    async def settled(self) -> list[WebhookDeliveryRow]:
        """Waits until nothing waits."""
        async with asyncio.timeout(240):
            while await self.deliveries("waiting"):
                await asyncio.sleep(0.05)
        return await self.deliveries()

    async def paused(self) -> WebhookRow:
        """Waits until it is paused."""
        async with asyncio.timeout(240):
            while not (row := await self.row()).paused_at:
                await asyncio.sleep(0.05)
        return row


def settings(**changed: Any) -> ServerSettings:
    """Settings that try again soon."""
    quick = {"webhook_timeout_s": 10.0, "webhook_retry_s": 0.05, "poll_s": 0.05}
    return ServerSettings(database_url=SecretStr("unused"), audio_dir=Path("/unused"), **{**quick, **changed})


@asynccontextmanager
async def sending(database: Database, networks: str = "127.0.0.0/8", **changed: Any) -> AsyncIterator[None]:
    """A sender at work."""
    chosen = settings(**changed)
    post = WebhookPost(Destinations(networks), chosen.webhook_timeout_s)
    task = asyncio.create_task(WebhookSender(chosen, database, KEYS, post).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
