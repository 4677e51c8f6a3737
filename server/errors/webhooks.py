"""Errors of webhooks."""

from __future__ import annotations

import grpc

from server.errors.meetra_error import MeetraError


class WebhookNotFound(MeetraError):
    """The organization has no such webhook."""

    reason = "WEBHOOK_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Webhook not found")


class WebhookDeliveryNotFound(MeetraError):
    """The webhook has no such delivery, or none any more."""

    reason = "WEBHOOK_DELIVERY_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Delivery not found")


class TooManyWebhooks(MeetraError):
    """The organization has the limit of webhooks."""

    reason = "TOO_MANY_WEBHOOKS"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, limit: int) -> None:
        super().__init__(f"This organization has the limit of {limit} webhooks; delete one first", limit=limit)


class WebhooksOff(MeetraError):
    """The operator has given the server no key for the secrets of webhooks."""

    reason = "WEBHOOKS_OFF"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("This server has no webhooks; its operator turns them on with MEETRA_WEBHOOK_KEYS")


class WebhookPaused(MeetraError):
    """The webhook is paused, or has as many deliveries waiting as it may: a test would wait."""

    reason = "WEBHOOK_PAUSED"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("This webhook is paused, or its queue is full: mend what its note says, and resume it first")
