"""How many calls a user and an organization may have open at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from meetra_client import TooManyOpenCalls, error_from
from server.storage.pool import Database
from tests.server.api.conftest import Api, running_api

PATIENCE_S = 300


@pytest.fixture
async def narrow(owner: Database, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """Lets a user have two streams and two single calls open, an organization three."""
    async with running_api(owner, database, tmp_path, open_calls_per_user=2, open_calls_per_organization=3) as api:
        yield api


async def opened(api: Api, organization: str, email: str) -> Any:
    """A stream that the server holds. Raises AioRpcError if it is refused."""
    stub = live_pb2_grpc.LiveServiceStub(api.channel)
    stream: Any = stub.StreamMeeting(metadata=await bearer(api, organization, email), timeout=PATIENCE_S)
    track = live_pb2.TrackConfig(
        track_id="mic",
        kind=live_pb2.TRACK_KIND_MIXED,
        encoding=live_pb2.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hz=16_000,
    )
    await stream.write(live_pb2.StreamMeetingRequest(config=live_pb2.LiveConfig(name="Held", tracks=[track])))
    assert (await stream.read()).ready.session_id
    return stream


async def bearer(api: Api, organization: str, email: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {await api.token(organization, email)}"),)


async def refusal(api: Api, organization: str, email: str) -> dict[str, str]:
    """The facts of the refusal of one stream more."""
    with pytest.raises((aio.AioRpcError, asyncio.InvalidStateError)) as raised:
        await opened(api, organization, email)
    assert isinstance(raised.value, aio.AioRpcError)
    error = error_from(raised.value)
    assert isinstance(error, TooManyOpenCalls)
    assert dict(raised.value.trailing_metadata() or ())["retry-after"] == "5"
    return error.facts


async def test_users_and_organizations_have_limits_of_their_own(narrow: Api) -> None:
    streams = [await opened(narrow, "One", email) for email in ("a@one", "a@one", "b@one")]
    assert await refusal(narrow, "One", "a@one") == {"scope": "user", "limit": "2", "retry_after_s": "5"}
    assert await refusal(narrow, "One", "b@one") == {"scope": "organization", "limit": "3", "retry_after_s": "5"}
    streams.append(await opened(narrow, "Two", "a@two"))
    # Single calls are counted apart.
    stub = meetings_pb2_grpc.MeetingServiceStub(narrow.channel)
    for _ in range(5):
        await stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=await bearer(narrow, "One", "a@one"))
    for stream in streams:
        stream.cancel()


async def test_a_call_that_ends_makes_room_however_it_ends(narrow: Api) -> None:
    (metadata,) = {await bearer(narrow, "One", "a@one")}
    for _ in range(3):
        streams = [await opened(narrow, "One", "a@one") for _ in range(2)]
        assert (await refusal(narrow, "One", "a@one"))["scope"] == "user"
        # The client goes; the server fails it; it fails before it begins.
        streams[0].cancel()
        await streams[1].write(live_pb2.StreamMeetingRequest(config=live_pb2.LiveConfig()))
        with pytest.raises(aio.AioRpcError):
            await streams[1].read()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                stub = live_pb2_grpc.LiveServiceStub(narrow.channel)
                wrong = stub.WatchMeeting(live_pb2.WatchMeetingRequest(session_id="x"), metadata=metadata)
                if (await wrong.code()).name == "INVALID_ARGUMENT":
                    break
        await asyncio.sleep(0)
