"""The API behind real Envoy, and somebody who works there while others attack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from server.storage.pool import Database
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.server.api.conftest import Api, running_api
from tests.server.signing import KEYS

TRACK = live_pb2.TrackConfig(
    track_id="mic",
    kind=live_pb2.TRACK_KIND_MIXED,
    encoding=live_pb2.AUDIO_ENCODING_PCM_S16LE,
    sample_rate_hz=16_000,
)
Metadata = tuple[tuple[str, str], ...]


@dataclass
class House:
    """The API and its gateway."""

    address: str
    """The gateway's host and port."""
    api: Api

    async def user(self, organization: str, email: str = "a@example.org") -> Metadata:
        """What the calls of a user carry."""
        return (("authorization", f"Bearer {await self.api.token(organization, email)}"),)


@pytest.fixture
async def house(owner: Database, database: Database, tmp_path: Path) -> AsyncIterator[House]:
    async with (
        running_api(owner, database, tmp_path) as api,
        running_gateway(tmp_path, api.port, keys=KEYS.current, api_http_port=api.http_port) as address,
    ):
        yield House(address, api)


async def works(house: House) -> None:
    """Somebody of an organization of their own does a bit of everything; raises whatever fails."""
    metadata = await house.user("Neighbours", "n@example.org")
    async with httpx.AsyncClient(base_url=f"http://{house.address}", timeout=PATIENCE_S) as http:
        for _ in range(5):
            login = await http.post("/api-login", json={"email": f"{uuid4()}@example.org", "password": "wrong"})
            assert (login.status_code, login.json()) == (400, {"message": "Invalid email or password"})
            listed = await http.get("/single-feature-api/meetings", headers=dict(metadata))
            assert listed.status_code == 200, listed.text
    async with aio.insecure_channel(house.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = live_pb2_grpc.LiveServiceStub(channel)
        for _ in range(3):
            config = live_pb2.LiveConfig(name="Work", tracks=[TRACK])
            stream: Any = stub.StreamMeeting(metadata=metadata, timeout=PATIENCE_S)
            await stream.write(live_pb2.StreamMeetingRequest(config=config))
            assert (await stream.read()).ready.session_id
            stream.cancel()
        meetings = meetings_pb2_grpc.MeetingServiceStub(channel)
        found = await meetings.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=metadata, timeout=PATIENCE_S)
        assert len(found.meetings) >= 3
