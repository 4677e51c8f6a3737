"""One attempt to deliver, over real HTTP: signed, bounded in time, to addresses that are allowed, without redirects."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from pathlib import Path
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from server.webhooks import Destinations, WebhookPost, new_webhook_secret
from tests.certificates import needs_openssl, self_signed
from tests.server.webhooks.receiver import receiving

HERE = Destinations("127.0.0.0/8")
BODY = '{"type":"webhook.test","data":{"message":"Grüße 👋"}}'


async def test_a_request_is_verified_by_the_library_with_each_secret() -> None:
    secrets, id_ = [new_webhook_secret(), new_webhook_secret()], uuid4()
    async with receiving() as receiver:
        result = await WebhookPost(HERE, 10).send(receiver.url, id_, BODY, secrets)
    assert (result.status, result.error) == (200, "")
    ((headers, body),) = receiver.got
    assert body == BODY
    assert (headers["webhook-id"], headers["content-type"]) == (str(id_), "application/json")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 240
    assert len(headers["webhook-signature"].split()) == 2
    for secret in secrets:
        assert Webhook(secret).verify(body, headers)["data"] == {"message": "Grüße 👋"}
    for changed in ({"webhook-id": str(uuid4())}, {"webhook-timestamp": str(int(time.time()) + 60)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secrets[0]).verify(body, {**headers, **changed})
    with pytest.raises(WebhookVerificationError):
        Webhook(new_webhook_secret()).verify(body, headers)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("204 No Content", ""),
        ("500 No", "HTTP status 500"),
        ("410 Gone", "HTTP status 410: gone"),
        ("307 Elsewhere", "HTTP status 307: redirects are not followed"),
    ],
)
async def test_the_status_decides_and_nothing_follows(status: str, error: str) -> None:
    async with receiving(status=status, headers=("location: /elsewhere",)) as receiver:
        result = await WebhookPost(HERE, 10).send(receiver.url, uuid4(), BODY, [new_webhook_secret()])
    assert (result.status, result.error) == (int(status.split()[0]), error)
    assert receiver.asked == ["/hook?token=hidden"]


@pytest.mark.parametrize(
    ("said", "asked_s"), [("90", 90.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0), ("9" * 30, 0.0)]
)
async def test_a_receiver_says_when_it_wants_to_be_asked_again(said: str, asked_s: float) -> None:
    async with receiving(status="503 Later", headers=(f"retry-after: {said}",)) as receiver:
        result = await WebhookPost(HERE, 10).send(receiver.url, uuid4(), BODY, [new_webhook_secret()])
    assert (result.status, result.asked_s) == (503, asked_s)


async def test_a_private_address_is_not_even_connected_to() -> None:
    post = WebhookPost(Destinations("10.0.0.0/8"), 10)
    async with receiving() as receiver:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
            for scheme in ("https", "http"):
                url = f"{scheme}://{host}:{receiver.port}/"
                result = await post.send(url, uuid4(), BODY, [new_webhook_secret()])
                assert result.status == 0
                assert "not public" in result.error
        assert receiver.got == []


async def test_whoever_is_slow_silent_or_away_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = new_webhook_secret()
    async with receiving(delay_s=300) as receiver:
        result = await WebhookPost(HERE, 0.3).send(receiver.url, uuid4(), BODY, [secret])
        assert (result.status, result.error) == (0, "no answer within 0.3 s")
    away = await WebhookPost(HERE, 10).send("http://127.0.0.1:9/hook?token=hidden", uuid4(), BODY, [secret])
    assert away.error.startswith("no connection: ")
    unknown = await WebhookPost(HERE, 10).send("https://nobody.invalid/", uuid4(), BODY, [secret])
    assert unknown.error.startswith("no connection: ")
    # Neither secrets nor what a URL may hold of them.
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("server"))
    assert secret not in ours
    assert "hidden" not in ours


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, b""],
    ids=["no HTTP", "endless headers", "nothing"],
)
async def test_what_is_no_answer_is_a_failure(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await WebhookPost(HERE, 30).send(f"http://127.0.0.1:{port}/", uuid4(), BODY, [new_webhook_secret()])
    server.close()
    assert result.status == 0
    assert result.error


@needs_openssl
async def test_https_needs_a_certificate_of_the_name_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "receiver")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    refused = await WebhookPost(HERE, 30).send(url, uuid4(), BODY, [new_webhook_secret()])
    assert (refused.status, "TLS" in refused.error) == (0, True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    taken = await WebhookPost(HERE, 30).send(url, uuid4(), BODY, [new_webhook_secret()])
    server.close()
    assert (taken.status, taken.error) == (200, "")
