"""Connections that the server opens on its own: only to addresses that are allowed."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.outbound_connection import AddressRefused, addresses_of, effective_address, is_public, outbound_pool
from tests.server.identity_provider import answer, running_issuer

PRIVATE = (
    "127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1"
    " 192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1::"
    " 64:ff9b::a00:1"
).split()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_private_network_is_none_of_the_internet_s(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


def test_an_address_that_leads_to_another_one_is_that_one() -> None:
    for address in ("::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1", "10.0.0.1"):
        assert str(effective_address(address)) == "10.0.0.1"
    assert str(effective_address("fe80::1%eth0")) == "fe80::1"


async def test_a_name_is_looked_up_where_it_is_asked_for() -> None:
    with ThreadPoolExecutor(1) as executor:
        assert "127.0.0.1" in await addresses_of("localhost", 80, executor)
        with pytest.raises(OSError, match=r"."):
            await addresses_of("nobody.invalid", 80, executor)


async def test_the_address_that_was_judged_is_the_one_that_is_connected_to() -> None:
    judged = []

    def allowed(address: str) -> bool:
        judged.append(address)
        return len(judged) == 1

    async with running_issuer() as server, outbound_pool(server.url, allowed, ssl.create_default_context()) as pool:
        server.raw["/"] = answer(b"", "302 Found", f"location: {server.url}/elsewhere")
        url = f"http://127.0.0.1:{server.port}/"
        # One look-up a connection, and no other connection for a redirect.
        assert (await pool.request("GET", url, headers=[(b"connection", b"close")])).status == 302
        assert judged == ["127.0.0.1"]
        with pytest.raises(AddressRefused):
            await pool.request("GET", url)
        assert server.asked == ["/"]
