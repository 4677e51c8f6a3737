"""What ``meetra webhooks`` prints and takes; the whole of it runs in tests/e2e/test_webhooks.py."""

from __future__ import annotations

import argparse

import pytest
from meetra.v1 import webhooks_pb2 as pb

from cli.__main__ import parser
from cli.webhooks import ACTIONS, _delivery_line, _test, _webhook_line

ID = "5f0c6a52-8d1c-4e63-9d5e-6b7f1f3f2c11"


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_takes_what_it_needs_and_nothing_else(action: str) -> None:
    arguments = {"list": [], "add": ["https://example.org"]}.get(action, [ID])
    parsed = parser().parse_args(["webhooks", action, *arguments])
    assert parsed.action == action
    with pytest.raises(SystemExit):
        parser().parse_args(["webhooks", action, *arguments, "--unknown"])
    if action != "list":
        with pytest.raises(SystemExit):
            parser().parse_args(["webhooks", action])


@pytest.mark.parametrize(
    "arguments",
    [["deliveries", ID, "--limit", "99999999999"], ["rotate", ID, "--keep-hours", "-1"]],
    ids=["more than a message holds", "negative"],
)
def test_numbers_that_no_message_holds_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["webhooks", *arguments])
    assert ended.value.code == 2


class NoWorker:
    """A server whose worker is away."""

    waiting = pb.WebhookDelivery(id=ID, webhook_id=ID, created_at="now", type="webhook.test", state="waiting")

    async def TestWebhook(self, request: pb.TestWebhookRequest) -> pb.TestWebhookResponse:  # noqa: N802
        return pb.TestWebhookResponse(delivery=self.waiting)

    async def GetWebhookDelivery(self, request: pb.GetWebhookDeliveryRequest) -> pb.GetWebhookDeliveryResponse:  # noqa: N802
        return pb.GetWebhookDeliveryResponse(delivery=self.waiting)


async def test_a_test_that_nobody_sends_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.webhooks.PATIENCE_S", 0.5)
    assert await _test(NoWorker(), parser().parse_args(["webhooks", "test", ID])) == 1
    said = capsys.readouterr()
    assert "attempts 0" in said.out
    assert "no worker has sent it" in said.err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["webhooks", "--help"])
    assert ended.value.code == 0
    assert "meetra webhooks add https://crm.example/meetra" in capsys.readouterr().out
    assert isinstance(parser(), argparse.ArgumentParser)


def test_a_line_says_the_state_and_shows_nothing_that_moves_the_cursor() -> None:
    webhook = pb.Webhook(id=ID, url="https://example.org", events=["alert"], description="a\x1b[2Jb", waiting=3)
    assert _webhook_line(webhook).startswith(f"{ID}  https://example.org  alert  active  3 waiting  ")
    webhook.failures, webhook.failing_since = 2, "2026-11-29T10:00:00+00:00"
    assert "failing since 2026-11-29T10:00:00+00:00" in _webhook_line(webhook)
    webhook.paused, webhook.note = True, "gone"
    assert "paused (gone)" in _webhook_line(webhook)
    assert "\x1b" not in _webhook_line(webhook)


def test_a_delivery_says_its_last_attempt_and_the_next() -> None:
    delivery = pb.WebhookDelivery(id=ID, created_at="now", type="alert", state="waiting")
    assert _delivery_line(delivery).endswith("alert  waiting  attempts 0")
    delivery.log.add(status=500, error="HTTP status 500", ms=7)
    delivery.attempts, delivery.next_attempt_at = 1, "soon"
    assert _delivery_line(delivery).endswith("attempts 1  HTTP status 500 (7 ms)  next attempt soon")
    delivery.log.add(status=200, ms=8)
    assert "HTTP status 200 (8 ms)" in _delivery_line(delivery)
