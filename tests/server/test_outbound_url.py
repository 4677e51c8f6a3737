"""URLs that the server asks on its own: HTTPS, without secrets in them."""

from __future__ import annotations

import pytest

from server.outbound_url import MAX_URL, checked_url

GOOD = ("https://login.example", "https://login.example:8443/realms/a?tenant=b", "https://[2001:db8::1]/x")
BAD = {
    "of another scheme": "ftp://login.example",
    "a file": "file:///etc/passwd",
    "without a scheme": "login.example",
    "without a host": "https:///realm",
    "of port 0": "https://login.example:0",
    "of no port": "https://login.example:x",
    "with brackets": "https://[login.example",
    "with a user": "https://u@login.example",
    "with a password": "https://u:p@login.example",
    "with a fragment": "https://login.example/#x",
    "with a space": "https://login.example/a b",
    "with a line break": "https://login.example/\r\nhost: x",
    "not in ASCII": "https://lögin.example",
    "long": "https://login.example/" + "x" * MAX_URL,
}


@pytest.mark.parametrize("url", GOOD)
def test_https_is_taken(url: str) -> None:
    assert checked_url(url, plain_http=False, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true") == url


@pytest.mark.parametrize("url", BAD.values(), ids=BAD)
def test_anything_else_is_refused(url: str) -> None:
    for plain_http in (False, True):
        with pytest.raises(ValueError, match=r"."):
            checked_url(url, plain_http=plain_http, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true")


def test_plain_http_is_for_private_networks() -> None:
    url = "http://10.0.0.1/realm"
    assert checked_url(url, plain_http=True, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true") == url
    with pytest.raises(ValueError, match="MEETRA_OIDC_PRIVATE_NETWORK"):
        checked_url(url, plain_http=False, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true")
