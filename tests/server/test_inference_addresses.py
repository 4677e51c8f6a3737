"""Where inference servers are, from the settings and from names."""

from __future__ import annotations

import socket

import pytest

from server.inference_addresses import Address, Target, look_up, parse_addresses, split_name

V4, V6 = socket.AF_INET, socket.AF_INET6
NAME = Address("inference.internal:50061", "inference.internal", 50061)


def test_a_list_has_addresses_and_names() -> None:
    assert parse_addresses("127.0.0.1:50061") == [Address("127.0.0.1:50061")]
    assert parse_addresses(" a:1, [::1]:2 ,unix:/run/engine,10.0.0.1:3") == [
        Address("a:1", "a", 1),
        Address("[::1]:2"),
        Address("unix:/run/engine"),
        Address("10.0.0.1:3"),
    ]
    assert parse_addresses("directory://a:1,directory://10.0.0.1:3") == [
        Address("a:1", "a", 1, directory=True),
        Address("10.0.0.1:3", directory=True),
    ]


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "a:1,",
        "a",
        "a:",
        "a:0",
        "a:65536",
        "a:x",
        ":1",
        "a:1,a:1",
        "http://a:1",
        "directory://",
        "directory://a",
        "directory://unix:/run/engine",
        "directory://directory://a:1",
        ",".join(f"a:{n}" for n in range(1, 258)),
    ],
    ids=[
        "nothing",
        "comma",
        "no port",
        "empty port",
        "port 0",
        "port too high",
        "word",
        "no host",
        "twice",
        "URL",
        "directory of nothing",
        "directory without port",
        "directory at a socket",
        "directory of a directory",
        "many",
    ],
)
def test_what_is_no_list_of_addresses_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_addresses(setting)


def test_a_name_with_several_addresses_is_several_servers_of_that_name() -> None:
    found = [(V4, "10.0.0.2"), (V4, "10.0.0.1"), (V4, "10.0.0.1"), (V6, "fd00::1"), (V6, "fd00::2")]
    assert split_name(NAME, found) == [
        Target("10.0.0.1:50061", "inference.internal"),
        Target("10.0.0.2:50061", "inference.internal"),
    ]
    assert split_name(NAME, [(V6, "fd00::2"), (V6, "fd00::1")]) == [
        Target("[fd00::1]:50061", "inference.internal"),
        Target("[fd00::2]:50061", "inference.internal"),
    ]


def test_a_name_with_an_address_of_each_family_is_one_server() -> None:
    assert split_name(NAME, [(V4, "127.0.0.1"), (V6, "::1")]) == [Target("inference.internal:50061")]
    assert split_name(NAME, []) == [Target("inference.internal:50061")]


async def test_an_address_is_not_looked_up_and_a_name_is() -> None:
    assert await look_up(Address("10.0.0.1:3")) == [Target("10.0.0.1:3")]
    assert await look_up(Address("localhost:3", "localhost", 3)) == [Target("localhost:3")]
