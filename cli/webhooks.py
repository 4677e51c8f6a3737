"""``meetra webhooks``: the webhooks of the user's organization."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from meetra.v1 import webhooks_pb2 as pb
from meetra.v1 import webhooks_pb2_grpc

from cli.account import add_account_arguments, client_of, resolve_account
from cli.argument_types import add_actions, count
from cli.terminal_text import as_json
from server.storage import DELIVERY_STATES, EVENT_TYPES
from server.visible_text import escape_for_terminal

EPILOG = """For owners of the organization.

examples:
  meetra webhooks add https://crm.example/meetra --event meeting.ready
  meetra webhooks test 5f0c6a52-8d1c-4e63-9d5e-6b7f1f3f2c11
  meetra webhooks deliveries 5f0c6a52-8d1c-4e63-9d5e-6b7f1f3f2c11 --state failed
  meetra webhooks replay 5f0c6a52-8d1c-4e63-9d5e-6b7f1f3f2c11
"""
ACTIONS = {
    "list": "print the webhooks",
    "add": "make a webhook and print its secret, once",
    "change": "change the URL, the description or the events of a webhook",
    "pause": "send nothing to a webhook until it is resumed; what happens waits",
    "resume": "send what waits, and go on",
    "rotate": "give a webhook a new secret and print it, once; the old one stays valid for a while",
    "test": "send a test, and wait for what becomes of it",
    "deliveries": "print what a webhook was told, newest first",
    "replay": "send a delivery once more, or all that have failed",
    "delete": "delete a webhook; what waits is not sent",
}
# How often the delivery of a test is looked at, seconds.
LOOK_EVERY_S = 0.3
# A worker begins within seconds, and an attempt ends within a minute.
PATIENCE_S = 120.0


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add a subcommand for each action."""
    command.epilog, command.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    for name, action in add_actions(command, ACTIONS).items():
        if name == "add":
            action.add_argument("url", metavar="URL", help="where events are sent: https://...")
        elif name != "list":
            action.add_argument("id", type=UUID, metavar="ID", help="of the webhook")
        if name == "change":
            action.add_argument("--url", help="where events are sent from now on")
        if name in ("add", "change"):
            action.add_argument("--description", help="what it is for")
            action.add_argument(
                "--event",
                action="append",
                default=[],
                choices=EVENT_TYPES,
                help=f"type of the events to send; repeatable{' (default: all)' if name == 'add' else ''}",
            )
        if name == "rotate":
            action.add_argument(
                "--keep-hours", type=count, help="for how long the old secret stays valid, 0 to 168 (default: 24)"
            )
        if name == "deliveries":
            action.add_argument("--state", choices=DELIVERY_STATES, default="", help="only these")
            action.add_argument("--limit", type=count, default=50, help="how many, 1 to 1000 (default: %(default)s)")
        if name == "replay":
            action.add_argument("delivery", type=UUID, nargs="?", help="id of the delivery (default: all that failed)")
        action.add_argument("--json", action="store_true", help="print what the server answers as JSON")
        add_account_arguments(action)


async def run_webhooks(arguments: argparse.Namespace) -> int:
    """Run an action of ``meetra webhooks``; return 0, or 1 for a test that was not delivered. Raises MeetraError."""
    async with client_of(resolve_account(arguments)) as client:
        stub: Any = client.stub(webhooks_pb2_grpc.WebhookServiceStub)
        if arguments.action == "test":
            return await _test(stub, arguments)
        answer = await _call(stub, arguments)
    _show(arguments, answer)
    return 0


async def _call(stub: Any, arguments: argparse.Namespace) -> Message:
    """Return the server's answer to an action."""
    action, id_ = arguments.action, str(getattr(arguments, "id", ""))
    answer: Message
    if action == "list":
        answer = await stub.ListWebhooks(pb.ListWebhooksRequest())
    elif action == "add":
        request = pb.CreateWebhookRequest(
            url=arguments.url, description=arguments.description or "", events=arguments.event
        )
        answer = await stub.CreateWebhook(request)
    elif action == "change":
        changes = {name: getattr(arguments, name) for name in ("url", "description")}
        given = {name: value for name, value in changes.items() if value is not None}
        answer = await stub.UpdateWebhook(pb.UpdateWebhookRequest(id=id_, events=arguments.event, **given))
    elif action in ("pause", "resume"):
        answer = await stub.UpdateWebhook(pb.UpdateWebhookRequest(id=id_, paused=action == "pause"))
    elif action == "rotate":
        hours = {} if arguments.keep_hours is None else {"keep_old_hours": arguments.keep_hours}
        answer = await stub.RotateWebhookSecret(pb.RotateWebhookSecretRequest(id=id_, **hours))
    elif action == "deliveries":
        answer = await stub.ListWebhookDeliveries(
            pb.ListWebhookDeliveriesRequest(webhook_id=id_, state=arguments.state, page_size=arguments.limit)
        )
    elif action == "replay" and arguments.delivery:
        answer = await stub.ReplayWebhookDelivery(
            pb.ReplayWebhookDeliveryRequest(webhook_id=id_, id=str(arguments.delivery))
        )
    elif action == "replay":
        answer = await stub.ReplayFailedWebhookDeliveries(pb.ReplayFailedWebhookDeliveriesRequest(webhook_id=id_))
    else:
        answer = await stub.DeleteWebhook(pb.DeleteWebhookRequest(id=id_))
    return answer


async def _test(stub: Any, arguments: argparse.Namespace) -> int:
    """Send a test, wait for its first attempt, and say what became of it."""
    delivery = (await stub.TestWebhook(pb.TestWebhookRequest(id=str(arguments.id)))).delivery
    ends_at = time.monotonic() + PATIENCE_S
    while not delivery.log and time.monotonic() < ends_at:
        await asyncio.sleep(LOOK_EVERY_S)
        request = pb.GetWebhookDeliveryRequest(webhook_id=delivery.webhook_id, id=delivery.id)
        delivery = (await stub.GetWebhookDelivery(request)).delivery
    if arguments.json:
        print(as_json(_document(delivery)))
    else:
        print(_delivery_line(delivery))
    if not delivery.log:
        print("meetra: no worker has sent it; it waits: `meetra doctor` looks at the system", file=sys.stderr)
    return 0 if delivery.state == "delivered" else 1


def _show(arguments: argparse.Namespace, answer: Any) -> None:
    action = arguments.action
    if arguments.json:
        print(as_json(_document(answer)))
    elif action == "list":
        for webhook in answer.webhooks:
            print(_webhook_line(webhook))
    elif action == "deliveries":
        for delivery in answer.deliveries:
            print(_delivery_line(delivery))
    elif action == "delete":
        print("webhook deleted")
    elif action == "replay":
        queued = 1 if arguments.delivery else answer.queued
        print(f"{queued} {'delivery is' if queued == 1 else 'deliveries are'} sent once more")
    else:
        print(_webhook_line(answer.webhook))
        if action in ("add", "rotate"):
            # Piped into a file, it is a line of its own.
            print(f"secret: {answer.secret}")
            print("It is shown this once: give it to your receiver.")


def _webhook_line(webhook: pb.Webhook) -> str:
    state = f"paused ({webhook.note})" if webhook.paused else "active"
    if webhook.failures and not webhook.paused:
        state = f"failing since {webhook.failing_since}"
    waiting = f"  {webhook.waiting} waiting" if webhook.waiting else ""
    description = f"  {webhook.description!r}" if webhook.description else ""
    line = f"{webhook.id}  {webhook.url}  {','.join(webhook.events)}  {state}{waiting}{description}"
    return escape_for_terminal(line)


def _delivery_line(delivery: pb.WebhookDelivery) -> str:
    last = delivery.log[-1] if delivery.log else None
    said = "" if last is None else f"  {last.error or f'HTTP status {last.status}'} ({last.ms} ms)"
    again = f"  next attempt {delivery.next_attempt_at}" if last is not None and delivery.next_attempt_at else ""
    what = f"{delivery.id}  {delivery.created_at}  {delivery.type}  {delivery.state}"
    return escape_for_terminal(f"{what}  attempts {delivery.attempts}{said}{again}")


def _document(message: Message) -> dict[str, Any]:
    return MessageToDict(message, always_print_fields_with_no_presence=True)
