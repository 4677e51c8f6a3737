"""Requests to an external issuer, over real HTTP: little is read, whatever comes, and only from where it may be."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.auth import fetch_json
from server.auth.issuer_requests import MAX_BYTES, IssuerUnreachable
from tests.certificates import needs_openssl, self_signed
from tests.server.identity_provider import IdentityProvider, answer, running_issuer

REFUSED = {
    "an error": (answer(b"{}", "500 No"), "HTTP status 500"),
    "an empty answer": (answer(b"", "204 No Content"), "HTTP status 204"),
    "a redirect": (answer(b"", "302 Found", "location: /elsewhere"), "HTTP status 302"),
    "no JSON": (answer(b"<html>"), "no JSON"),
    "no text": (answer(b"\xff\xfe{"), "no JSON"),
    "a list": (answer(b"[]"), "no JSON object"),
    "nested without end": (answer(b'{"keys":' + b"[" * 100_000), "no JSON"),
    "huge, as stated": (answer(b" " * (MAX_BYTES + 1)), "more than 256 KiB"),
    "huge, in chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 5,
        "more than 256 KiB",
    ),
    "huge, once unpacked": (answer(gzip.compress(b" " * 10**7), "200 OK", "content-encoding: gzip"), "compressed"),
    "cut short": (answer(b"{}" * 100)[:-50], "RemoteProtocolError"),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", "RemoteProtocolError"),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, "RemoteProtocolError"),
}


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    async with running_issuer() as running:
        yield running


async def test_an_object_is_read(issuer: IdentityProvider) -> None:
    found = await fetch_json(issuer.jwks_url, private_network=True)
    assert found == {"keys": issuer.keys}
    assert issuer.hosts == [f"127.0.0.1:{issuer.port}"]


@pytest.mark.parametrize("case", REFUSED)
async def test_any_other_answer_is_refused_and_nothing_follows(issuer: IdentityProvider, case: str) -> None:
    issuer.raw["/keys"], said = REFUSED[case]
    with pytest.raises(IssuerUnreachable, match=said):
        await fetch_json(issuer.jwks_url, private_network=True)
    assert issuer.asked == ["/keys"]


async def test_a_private_address_is_not_even_connected_to(issuer: IdentityProvider) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        with pytest.raises(IssuerUnreachable, match="private address"):
            await fetch_json(f"https://{host}:{issuer.port}/keys", private_network=False)
    with pytest.raises(IssuerUnreachable, match="http is for a private network"):
        await fetch_json(issuer.jwks_url, private_network=False)
    assert issuer.asked == []


async def test_nobody_there_and_no_such_name_are_reported(issuer: IdentityProvider) -> None:
    with pytest.raises(IssuerUnreachable):
        await fetch_json("http://127.0.0.1:9/keys", private_network=True)
    with pytest.raises(IssuerUnreachable):
        await fetch_json("https://nobody.invalid/keys", private_network=False)


async def test_a_proxy_of_the_environment_is_used(issuer: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{issuer.port}")
    issuer.raw["http://login.example/keys"] = answer(b'{"keys": []}')
    assert await fetch_json("http://login.example/keys", private_network=True) == {"keys": []}
    assert issuer.hosts == ["login.example"]


@needs_openssl
async def test_https_needs_a_certificate_of_the_name_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "issuer")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with running_issuer(tls) as issuer:
        url = f"https://localhost:{issuer.port}/keys"
        with pytest.raises(IssuerUnreachable):
            await fetch_json(url, private_network=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert await fetch_json(url, private_network=True) == {"keys": issuer.keys}
        assert issuer.hosts == [f"localhost:{issuer.port}"]
        # The same machine under a name that is not in the certificate.
        with pytest.raises(IssuerUnreachable):
            await fetch_json(f"https://127.1:{issuer.port}/keys", private_network=True)
        assert issuer.asked == ["/keys"]


async def test_who_waits_may_stop(issuer: IdentityProvider) -> None:
    issuer.raw["/keys"] = b""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await fetch_json(issuer.jwks_url, private_network=True)
