"""Who the client is, as the gateway tells the API: the delays after failed logins depend on it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gateway import GatewayLimits
from server.auth.throttle import FREE_FAILURES_OF_ADDRESS
from server.storage.pool import Database
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.server.api.conftest import Api, running_api

pytestmark = pytest.mark.system
CLIENT, OTHER = "198.51.100.7", "198.51.100.8"


async def statuses(address: str, *forwarded: dict[str, str]) -> list[int]:
    """Of failed logins of as many accounts, each with headers of its own."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http:
        answers = [
            await http.post("/api-login", json={"email": f"{number}@example.org", "password": "x"}, headers=headers)
            for number, headers in enumerate(forwarded)
        ]
    return [answer.status_code for answer in answers]


async def test_a_trusted_proxy_says_who_the_client_is_and_the_client_itself_does_not(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with (
        running_api(owner, database, tmp_path) as api,
        running_gateway(tmp_path, api.port, limits=GatewayLimits(trusted_proxies=1)) as address,
    ):
        # What the client wrote comes before what the proxy added.
        lies = [{"x-forwarded-for": f"203.0.113.{n}, {CLIENT}"} for n in range(FREE_FAILURES_OF_ADDRESS)]
        assert await statuses(address, *lies) == [400] * FREE_FAILURES_OF_ADDRESS
        assert await statuses(address, {"x-forwarded-for": f"203.0.113.99, {CLIENT}"}) == [429]
        assert await statuses(address, {"x-forwarded-for": CLIENT, "x-client-address": OTHER}) == [429]
        assert await statuses(address, {"x-forwarded-for": OTHER}) == [400]


async def test_without_a_trusted_proxy_nobody_else_s_address_can_be_used_up(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    api: Api
    async with running_api(owner, database, tmp_path) as api, running_gateway(tmp_path, api.port) as address:
        claims = [{"x-forwarded-for": CLIENT, "x-client-address": CLIENT}] * (FREE_FAILURES_OF_ADDRESS + 1)
        assert await statuses(address, *claims) == [400] * len(claims)
