"""TLS by two settings: over REST and gRPC, and what is refused before anything starts."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc
import httpx
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.free_port import free_port
from gateway import TlsFiles
from privacy import TlsUnusable
from server.storage.pool import Database
from tests.certificates import needs_openssl, self_signed
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.server.api.conftest import running_api

pytestmark = needs_openssl


def certificate(folder: Path, name: str, *options: str) -> tuple[str, str]:
    """Certificate and key of localhost, signed by itself, as the settings give them."""
    made, key = self_signed(folder, name, *options)
    return str(made), str(key)


async def test_rest_and_grpc_are_served_with_the_certificate(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    tls = TlsFiles.checked(*certificate(tmp_path / "tls", "ours"))
    assert tls is not None
    local = free_port()
    path = "/single-feature-api/meetings"
    async with (
        running_api(owner, database, tmp_path) as api,
        running_gateway(tmp_path, api.port, tls=tls, local_port=local) as address,
    ):
        trusting = ssl.create_default_context(cafile=str(tls.certificate))
        async with httpx.AsyncClient(verify=trusting, timeout=PATIENCE_S) as http:
            assert (await http.get(f"https://{address}{path}")).status_code == 401
            listed = await http.get(f"https://{address}{path}", headers=dict(api.metadata))
            assert listed.json() == {"meetings": [], "next_page_token": ""}
            # This machine's commands.
            assert (await http.get(f"http://127.0.0.1:{local}{path}")).status_code == 401
            with pytest.raises(httpx.TransportError):
                await http.get(f"http://{address}{path}")
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(f"https://{address}{path}")
        roots = grpc.ssl_channel_credentials(tls.certificate.read_bytes())
        async with aio.secure_channel(address, roots) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
            assert (await check).status == health_pb2.HealthCheckResponse.SERVING


def test_without_settings_there_is_none() -> None:
    assert TlsFiles.checked("", "") is None


def test_what_cannot_be_served_is_refused_with_the_setting_and_the_fix(tmp_path: Path) -> None:
    ours, key = certificate(tmp_path, "ours")
    _, other_key = certificate(tmp_path, "other")
    locked = certificate(tmp_path, "locked", "-passout", "pass:secret")
    nowhere = str(tmp_path / "nowhere")
    for settings, told in (
        ((ours, ""), "MEETRA_TLS_CERTIFICATE is set without MEETRA_TLS_KEY"),
        (("", key), "MEETRA_TLS_KEY is set without MEETRA_TLS_CERTIFICATE"),
        ((nowhere, key), f"MEETRA_TLS_CERTIFICATE: {nowhere} cannot be read (No such file or directory)"),
        ((ours, str(tmp_path)), f"MEETRA_TLS_KEY: {tmp_path} cannot be read (Is a directory)"),
        ((ours, other_key), "are no usable pair (KEY_VALUES_MISMATCH)"),
        ((key, ours), "are no usable pair"),
        (locked, "MEETRA_TLS_KEY: the key has a passphrase"),
    ):
        with pytest.raises(TlsUnusable) as raised:
            TlsFiles.checked(*settings)
        assert told in str(raised.value)
