"""Plain text on this machine; elsewhere only clients with a certificate reach the models."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from inference.api import TLS_SETTINGS, listen
from privacy import MutualTls, TlsUnusable
from server.engine import TLS_SETTINGS as CLIENT_SETTINGS
from server.engine.transport import open_channel
from server.inference_addresses import Target
from tests.certificates import needs_openssl, self_signed

TIMEOUT_S = 60


@asynccontextmanager
async def listening(folder: Path, tls: MutualTls | None) -> AsyncIterator[str]:
    """A server; its address."""
    address = f"unix:{folder / 'inference.sock'}"
    server = aio.server()
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    listen(server, address, tls)
    await server.start()
    await states.set("", health_pb2.HealthCheckResponse.SERVING)
    yield address
    await server.stop(None)


async def answers(channel: aio.Channel) -> bool:
    """Whether the server answers over a channel."""
    call = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
    code = await call.code()
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)
    return code is grpc.StatusCode.OK


@needs_openssl
async def test_only_clients_with_a_certificate_of_the_authority_get_in(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path / "tls", "server")
    client, client_key = self_signed(tmp_path / "tls", "client")
    other, other_key = self_signed(tmp_path / "tls", "other")
    tls = MutualTls.read(TLS_SETTINGS, certificate, key, client)
    name = [("grpc.ssl_target_name_override", "localhost")]
    async with listening(tmp_path, tls) as address:
        async with open_channel(
            Target(address), MutualTls.read(CLIENT_SETTINGS, client, client_key, certificate), name
        ) as channel:
            assert await answers(channel)
        async with open_channel(
            Target(address), MutualTls.read(CLIENT_SETTINGS, other, other_key, certificate), name
        ) as channel:
            assert not await answers(channel), "signed by somebody else"
        async with open_channel(
            Target(address), MutualTls.read(CLIENT_SETTINGS, client, client_key, other), name
        ) as channel:
            assert not await answers(channel), "the server is not the one that is trusted"
        async with open_channel(Target(address), None, name) as channel:
            assert not await answers(channel), "plain text"
        nobody = grpc.ssl_channel_credentials(certificate.read_bytes())
        async with aio.secure_channel(address, nobody, options=name) as channel:
            assert not await answers(channel), "without a certificate"


async def test_plain_text_is_for_this_machine_and_loud_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(tmp_path, None) as address, open_channel(Target(address), None, []) as channel:
        assert await answers(channel)
    assert not caplog.records
    for address in ("127.0.0.1:0", "[::1]:0", "localhost:0"):
        listen(aio.server(), address, None)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        listen(aio.server(), "0.0.0.0:0", None)
    assert "PLAIN TEXT on 0.0.0.0:0" in caplog.text
    assert "MEETRA_INFERENCE_TLS_CLIENT_CA" in caplog.text


def test_half_of_the_settings_and_unreadable_files_are_named(tmp_path: Path) -> None:
    gone, here = tmp_path / "gone.pem", tmp_path / "here.pem"
    here.touch()
    assert MutualTls.read(TLS_SETTINGS, None, None, None) is None
    assert MutualTls.read(CLIENT_SETTINGS, None, None, None) is None
    with pytest.raises(TlsUnusable, match="MEETRA_INFERENCE_TLS_KEY and MEETRA_INFERENCE_TLS_CLIENT_CA: not set"):
        MutualTls.read(TLS_SETTINGS, gone, None, None)
    with pytest.raises(TlsUnusable, match="MEETRA_INFERENCE_CA: not set"):
        MutualTls.read(CLIENT_SETTINGS, gone, gone, None)
    with pytest.raises(TlsUnusable, match=r"MEETRA_INFERENCE_TLS_CERTIFICATE: .*gone\.pem cannot be read"):
        MutualTls.read(TLS_SETTINGS, gone, gone, gone)
    with pytest.raises(TlsUnusable, match=r"MEETRA_INFERENCE_CA: .*gone\.pem cannot be read"):
        MutualTls.read(CLIENT_SETTINGS, here, here, gone)


@needs_openssl
async def test_files_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path / "tls", "server")
    _, key = self_signed(tmp_path / "tls", "other")
    with pytest.raises(TlsUnusable, match="MEETRA_INFERENCE_TLS_KEY are no usable pair"):
        MutualTls.read(TLS_SETTINGS, certificate, key, certificate)
    with pytest.raises(TlsUnusable, match="MEETRA_INFERENCE_CLIENT_KEY are no usable pair"):
        MutualTls.read(CLIENT_SETTINGS, certificate, key, certificate)
