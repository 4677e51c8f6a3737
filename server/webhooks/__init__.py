"""Webhooks: receivers that an organization names, what they are told, and its delivery by the worker."""

from server.webhooks.destinations import DestinationRefused, Destinations
from server.webhooks.keys import UnusableWebhookKeys, WebhookKeys, new_webhook_secret
from server.webhooks.post import WebhookPost
from server.webhooks.sender import WebhookSender
from server.webhooks.webhooks import MAX_WEBHOOKS, NewWebhook, Webhooks

__all__ = [
    "DestinationRefused",
    "Destinations",
    "MAX_WEBHOOKS",
    "NewWebhook",
    "UnusableWebhookKeys",
    "WebhookKeys",
    "WebhookPost",
    "WebhookSender",
    "Webhooks",
    "new_webhook_secret",
]
