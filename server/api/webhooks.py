"""WebhookService: where the caller's organization is told of what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grpc import aio
from meetra.v1 import webhooks_pb2 as pb
from meetra.v1 import webhooks_pb2_grpc

from server.api.validation import page_of, parse_page_token, parse_uuid, validate_page_size
from server.auth import current_caller
from server.errors import BadRequest
from server.moments import utc_text
from server.storage import DELIVERY_STATES, EVENT_TYPES, WebhookDeliveryRow, WebhookRow
from server.visible_text import find_flaw, trim
from server.webhooks import Webhooks

MAX_DESCRIPTION = 200
KEEP_OLD_HOURS, MAX_KEEP_OLD_HOURS = 24, 168
MAX_INT32 = 2**31 - 1
Context = aio.ServicerContext[Any, Any]


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """See proto/meetra/v1/webhooks.proto."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def CreateWebhook(self, request: pb.CreateWebhookRequest, context: Context) -> pb.CreateWebhookResponse:  # noqa: N802
        """See WebhookService.CreateWebhook."""
        made = await self._webhooks.create(
            current_caller().organization_id,
            request.url,
            _description(request.description),
            _events(request.events) or EVENT_TYPES,
        )
        return pb.CreateWebhookResponse(webhook=webhook_message(made.row), secret=made.secret)

    async def ListWebhooks(self, request: pb.ListWebhooksRequest, context: Context) -> pb.ListWebhooksResponse:  # noqa: N802
        """See WebhookService.ListWebhooks."""
        found = await self._webhooks.list_all(current_caller().organization_id)
        return pb.ListWebhooksResponse(webhooks=map(webhook_message, found))

    async def GetWebhook(self, request: pb.GetWebhookRequest, context: Context) -> pb.GetWebhookResponse:  # noqa: N802
        """See WebhookService.GetWebhook."""
        found = await self._webhooks.get(current_caller().organization_id, parse_uuid("id", request.id))
        return pb.GetWebhookResponse(webhook=webhook_message(found))

    async def UpdateWebhook(self, request: pb.UpdateWebhookRequest, context: Context) -> pb.UpdateWebhookResponse:  # noqa: N802
        """See WebhookService.UpdateWebhook."""
        changed = await self._webhooks.change(
            current_caller().organization_id,
            parse_uuid("id", request.id),
            url=request.url if request.HasField("url") else None,
            description=_description(request.description) if request.HasField("description") else None,
            events=_events(request.events) or None,
            paused=request.paused if request.HasField("paused") else None,
        )
        return pb.UpdateWebhookResponse(webhook=webhook_message(changed))

    async def RotateWebhookSecret(  # noqa: N802
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """See WebhookService.RotateWebhookSecret."""
        id_ = parse_uuid("id", request.id)
        hours = request.keep_old_hours if request.HasField("keep_old_hours") else KEEP_OLD_HOURS
        if not 0 <= hours <= MAX_KEEP_OLD_HOURS:
            raise BadRequest("keep_old_hours", f"{hours}; must be 0 to {MAX_KEEP_OLD_HOURS}")
        made = await self._webhooks.rotate_secret(current_caller().organization_id, id_, hours)
        return pb.RotateWebhookSecretResponse(webhook=webhook_message(made.row), secret=made.secret)

    async def DeleteWebhook(self, request: pb.DeleteWebhookRequest, context: Context) -> pb.DeleteWebhookResponse:  # noqa: N802
        """See WebhookService.DeleteWebhook."""
        await self._webhooks.delete(current_caller().organization_id, parse_uuid("id", request.id))
        return pb.DeleteWebhookResponse()

    async def TestWebhook(self, request: pb.TestWebhookRequest, context: Context) -> pb.TestWebhookResponse:  # noqa: N802
        """See WebhookService.TestWebhook."""
        queued = await self._webhooks.test(current_caller().organization_id, parse_uuid("id", request.id))
        return pb.TestWebhookResponse(delivery=delivery_message(queued))

    async def ListWebhookDeliveries(  # noqa: N802
        self, request: pb.ListWebhookDeliveriesRequest, context: Context
    ) -> pb.ListWebhookDeliveriesResponse:
        """See WebhookService.ListWebhookDeliveries."""
        webhook_id = parse_uuid("webhook_id", request.webhook_id)
        if request.state and request.state not in DELIVERY_STATES:
            raise BadRequest("state", f"must be one of {', '.join(DELIVERY_STATES)}, or empty for all")
        size = validate_page_size(request.page_size)
        found = await self._webhooks.list_deliveries(
            current_caller().organization_id,
            webhook_id,
            size + 1,
            parse_page_token(request.page_token),
            request.state or None,
        )
        page, token = page_of(found, size)
        return pb.ListWebhookDeliveriesResponse(deliveries=map(delivery_message, page), next_page_token=token)

    async def GetWebhookDelivery(  # noqa: N802
        self, request: pb.GetWebhookDeliveryRequest, context: Context
    ) -> pb.GetWebhookDeliveryResponse:
        """See WebhookService.GetWebhookDelivery."""
        found = await self._webhooks.get_delivery(
            current_caller().organization_id,
            parse_uuid("webhook_id", request.webhook_id),
            parse_uuid("id", request.id),
        )
        message = delivery_message(found)
        message.body = found.body
        return pb.GetWebhookDeliveryResponse(delivery=message)

    async def ReplayWebhookDelivery(  # noqa: N802
        self, request: pb.ReplayWebhookDeliveryRequest, context: Context
    ) -> pb.ReplayWebhookDeliveryResponse:
        """See WebhookService.ReplayWebhookDelivery."""
        queued = await self._webhooks.replay(
            current_caller().organization_id,
            parse_uuid("webhook_id", request.webhook_id),
            parse_uuid("id", request.id),
        )
        return pb.ReplayWebhookDeliveryResponse(delivery=delivery_message(queued))

    async def ReplayFailedWebhookDeliveries(  # noqa: N802
        self, request: pb.ReplayFailedWebhookDeliveriesRequest, context: Context
    ) -> pb.ReplayFailedWebhookDeliveriesResponse:
        """See WebhookService.ReplayFailedWebhookDeliveries."""
        webhook_id = parse_uuid("webhook_id", request.webhook_id)
        queued = await self._webhooks.replay_failed(current_caller().organization_id, webhook_id)
        return pb.ReplayFailedWebhookDeliveriesResponse(queued=queued)


def _description(text: str) -> str:
    trimmed = trim(text)
    if len(trimmed) > MAX_DESCRIPTION:
        raise BadRequest("description", f"{len(trimmed)} characters; at most {MAX_DESCRIPTION}")
    if flaw := find_flaw(trimmed):
        raise BadRequest("description", flaw)
    return trimmed


def _events(types: Sequence[str]) -> list[str]:
    if not set(types) <= set(EVENT_TYPES):
        raise BadRequest("events", f"must be one or several of {', '.join(EVENT_TYPES)}")
    return [type_ for type_ in EVENT_TYPES if type_ in types]


def webhook_message(row: WebhookRow) -> pb.Webhook:
    """Return a webhook as callers see it."""
    return pb.Webhook(
        id=str(row.id),
        url=row.url,
        description=row.description,
        events=row.events,
        created_at=utc_text(row.created_at),
        paused=row.paused_at is not None,
        paused_at=utc_text(row.paused_at) or "",
        note=row.note,
        failures=row.failures,
        failing_since=utc_text(row.failing_since) or "",
        waiting=row.waiting,
        dropped=min(row.dropped, MAX_INT32),
        old_secret_until=utc_text(row.previous_until) or "",
    )


def delivery_message(row: WebhookDeliveryRow) -> pb.WebhookDelivery:
    """Return a delivery as callers see it, without its body."""
    return pb.WebhookDelivery(
        id=str(row.id),
        webhook_id=str(row.webhook_id),
        event_id=str(row.event_id),
        type=row.type,
        created_at=utc_text(row.created_at),
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=utc_text(row.next_at) or "",
        delivered_at=utc_text(row.delivered_at) or "",
        log=[pb.WebhookAttempt(**attempt) for attempt in row.log],
    )
