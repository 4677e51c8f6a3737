"""Addresses of metrics."""

from __future__ import annotations

import pytest

from monitoring import checked_listen
from monitoring.listening import split_host_port


@pytest.mark.parametrize(
    "listen", ["", "127.0.0.1:9464", "[::1]:0", "metrics.example:65535", "unix:/run/meetra/api.sock"]
)
def test_addresses_that_can_be_listened_on_are_taken(listen: str) -> None:
    assert checked_listen(f" {listen} ") == listen


@pytest.mark.parametrize(
    "listen",
    ["9464", ":9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:9464", "unix:run.sock", "unix:/" + 100 * "x"],
)
def test_others_are_refused_with_what_to_give(listen: str) -> None:
    with pytest.raises(ValueError, match="give a"):
        checked_listen(listen)


def test_an_ipv6_address_loses_its_brackets() -> None:
    assert split_host_port("[::1]:9464") == ("::1", 9464)
