"""Addresses as people write them, and connections that end whatever happens to them."""

from __future__ import annotations

import asyncio

import pytest
from meetra.v1 import live_pb2

from meetra_client.connection import Connection, Endpoint, call_metadata
from meetra_client.errors import ConnectionLost
from tests.clients.python.server import CrookedServer


@pytest.mark.parametrize(
    ("url", "target", "secure"),
    [
        ("http://localhost", "localhost:80", False),
        ("https://meetra.example", "meetra.example:443", True),
        ("https://meetra.example/", "meetra.example:443", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", False),
        ("http://[::1]:8080", "[::1]:8080", False),
        ("HTTP://Meetra.Example:1", "meetra.example:1", False),
    ],
)
def test_an_address_is_host_port_and_whether_it_is_secured(url: str, target: str, secure: bool) -> None:
    endpoint = Endpoint.parse(url, 10)
    assert (endpoint.target, endpoint.secure) == (target, secure)


@pytest.mark.parametrize(
    "url", ["", "localhost:8080", "ftp://host", "http://", "http:///path", "http://host/api", "http://host:99999"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - one of them is worded by Python
        Endpoint.parse(url, 10)


async def test_nothing_listens_where_nothing_listens() -> None:
    connection = Connection(Endpoint.parse("http://127.0.0.1:1", 10), "token")
    with pytest.raises(ConnectionLost):
        await connection.open(live_pb2.LiveConfig())
    await connection.close()


async def test_a_connection_that_was_never_opened_may_be_closed_and_closed_again() -> None:
    connection = Connection(Endpoint.parse("http://127.0.0.1:1", 10), "token")
    await connection.close()
    await connection.close()


async def test_a_read_that_was_cancelled_loses_no_message(crooked: tuple[CrookedServer, str]) -> None:
    connection = Connection(Endpoint.parse(crooked[1], 10), "a token")
    await connection.open(live_pb2.LiveConfig(name="Weekly", tracks=[live_pb2.TrackConfig(track_id="mix")]))
    reading = asyncio.create_task(connection.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    audio = live_pb2.AudioChunk(track_id="mix", first_sample=0, data=bytes(3200))
    await connection.write(live_pb2.StreamMeetingRequest(audio=audio))
    assert await connection.read()
    await connection.close()
    with pytest.raises(ConnectionLost):
        await connection.read()


@pytest.mark.parametrize("steps", range(8))
async def test_a_call_that_is_left_before_it_has_begun_is_closed(steps: int) -> None:
    # Nobody listens there.
    connection = Connection(Endpoint.parse("http://127.0.0.1:9", 10), "a token")
    opening = asyncio.create_task(connection.open(live_pb2.LiveConfig()))
    for _ in range(steps):
        await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    async with asyncio.timeout(60):
        await connection.close()


def test_a_call_of_a_known_session_names_it_for_the_gateway_and_what_is_no_session_is_left_out() -> None:
    session = "0C9D1F6E-0000-4000-8000-000000000001"
    signed = ("authorization", "Bearer t")
    assert call_metadata("t", session) == (signed, ("x-live-session", session.lower()))
    assert call_metadata("t", "") == call_metadata("t", "a\nb") == (signed,)
