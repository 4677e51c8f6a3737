"""Where webhooks may go: public addresses over HTTPS, and networks that the operator names."""

from __future__ import annotations

import pytest

from server.webhooks import DestinationRefused, Destinations

PRIVATE = (
    "127.0.0.1 10.1.2.3 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 ::1 fe80::1 fc00::1 ::ffff:127.0.0.1"
    " 64:ff9b::a00:1"
).split()
REFUSED = {
    "a private address": ("https://10.0.0.1/", "not public"),
    "the machine itself": ("https://localhost:8080/", "not public"),
    "a number": ("https://2130706433/", "not public"),
    "a short address": ("https://127.1/", "not public"),
    "an address of IPv6": ("https://[::1]/", "not public"),
    "one within IPv6": ("https://[::ffff:169.254.169.254]/latest", "not public"),
    "plain HTTP": ("http://8.8.8.8/", "use https"),
    "another scheme": ("file:///etc/passwd", "give a URL"),
    "a user": ("https://u:p@8.8.8.8/", "leave user"),
    "nothing": ("", "give a URL"),
}


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_only_in_a_named_network(address: str) -> None:
    assert not Destinations("").allows("https", address)
    assert not Destinations("172.16.0.0/12, 2001:db8::/32").allows("https", address)


def test_named_networks_are_allowed_over_plain_http_too() -> None:
    named = Destinations("10.1.0.0/16, fd00::/8")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert named.allows("https", address)
        assert named.allows("http", address)
    assert not named.allows("https", "10.2.0.1")
    assert named.allows("https", "8.8.8.8")
    assert not named.allows("http", "8.8.8.8")


def test_a_network_of_ipv6_names_nothing_of_ipv4() -> None:
    assert not Destinations("::/0").allows("https", "::ffff:10.0.0.1")
    assert not Destinations("64:ff9b::/96").allows("https", "64:ff9b::a00:1")


@pytest.mark.parametrize("case", REFUSED)
async def test_a_url_that_must_not_be_asked_is_refused(case: str) -> None:
    url, said = REFUSED[case]
    with pytest.raises(DestinationRefused, match=said):
        await Destinations("").check(url)


async def test_a_url_of_a_public_address_is_taken_and_one_that_nobody_knows_yet() -> None:
    for url in ("https://8.8.8.8/hook?x=1", "https://nobody.invalid:8443/hook"):
        assert await Destinations("").check(url) == url


async def test_plain_http_is_for_named_networks_alone() -> None:
    named = Destinations("127.0.0.0/8")
    assert await named.check("http://127.0.0.1:1/") == "http://127.0.0.1:1/"
    with pytest.raises(DestinationRefused, match="http is for the networks"):
        await named.check("http://8.8.8.8/")
