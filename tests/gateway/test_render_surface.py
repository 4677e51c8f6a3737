"""What the gateway lets through, and what it says on every answer."""

from __future__ import annotations

from typing import Any

import grpc
import httpx
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from server.api.public_services import public_methods
from tests.gateway.conftest import House, Metadata
from tests.gateway.running_gateway import PATIENCE_S

pytestmark = pytest.mark.system

INSIDE = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.health.v1.Health/List",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/meetra.inference.v2.SessionService/GetStatistics",
    "/meetra.v1.MeetingService/",
    "/meetra.v1.NoService/Call",
]
REACHED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.CANCELLED)
STORED_NOWHERE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def outcome(channel: aio.Channel, path: str, metadata: Metadata = ()) -> tuple[grpc.StatusCode, str]:
    """Of a call with an empty message."""
    # An answer that comes before the message is sent makes grpc's client fail by itself now and then.
    for _ in range(100):
        code, details = await _outcome(channel, path, metadata)
        if details != "Internal error from Core":
            break
    return code, details


async def _outcome(channel: aio.Channel, path: str, metadata: Metadata) -> tuple[grpc.StatusCode, str]:
    method: Any = channel.stream_stream(path)
    call = method(iter([b""]), metadata=metadata, timeout=PATIENCE_S)
    try:
        async for _ in call:
            break
    except aio.AioRpcError:
        pass
    call.cancel()
    return await call.code(), await call.details()


async def test_every_method_of_ours_is_reached(house: House) -> None:
    async with aio.insecure_channel(house.address) as channel:
        for method in public_methods():
            path = f"/{method.containing_service.full_name}/{method.name}"
            code, _ = await outcome(channel, path)
            # Login has no token to miss; the list of keys is read, and then cancelled.
            assert code in REACHED, path


async def test_nothing_else_is_not_even_by_rest(house: House) -> None:
    metadata = await house.user("Curious")
    async with aio.insecure_channel(house.address) as channel:
        for path in INSIDE:
            code, _ = await outcome(channel, path, metadata)
            # The answer comes before the call is read: gRPC sometimes sees the end of the stream as a reset.
            assert code in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL), path
    async with httpx.AsyncClient(base_url=f"http://{house.address}", headers=dict(metadata)) as http:
        for path in (*INSIDE, "/meetra.v1.MeetingService/ListMeetings", "/single-feature-api/live/x"):
            for answer in (await http.get(path), await http.post(path, json={})):
                assert (answer.status_code, answer.json()) == (404, {"message": "Not found"}), path


async def test_load_balancers_may_ask_whether_it_serves(house: House) -> None:
    async with aio.insecure_channel(house.address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_no_answer_is_stored_or_guessed_at(house: House) -> None:
    metadata = dict(await house.user("Careful"))
    path = "/single-feature-api/meetings"
    async with httpx.AsyncClient(base_url=f"http://{house.address}", timeout=PATIENCE_S) as http:
        answers = [
            await http.get(path, headers=metadata),
            await http.head(path, headers=metadata),
            await http.get(path),
            await http.get("/nowhere"),
            await http.post("/api-login", content=b"{"),
            await http.post("/api-login", json={"email": "", "password": ""}),
            await http.get(path, headers={"x": "y" * 62_000}),
            await http.post("/api-login", content=b"x" * 1_100_000),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 401, 404, 400, 400, 431, 413]
        for answer in answers:
            assert STORED_NOWHERE.items() <= dict(answer.headers).items(), answer
    async with aio.insecure_channel(house.address) as channel:
        stub = meetings_pb2_grpc.MeetingServiceStub(channel)
        call = stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=tuple(metadata.items()))
        assert STORED_NOWHERE.items() <= dict(await call.initial_metadata() or ()).items()


@pytest.mark.parametrize("size", [1_000_000, 6_000_000])
async def test_a_message_that_is_too_large_is_refused_as_such(house: House, size: int) -> None:
    async with aio.insecure_channel(house.address) as channel:
        method: Any = channel.unary_unary("/meetra.v1.MeetingService/ListMeetings")
        call = method(b"\xff" * size, metadata=await house.user("Large"), timeout=PATIENCE_S)
        with pytest.raises(aio.AioRpcError) as raised:
            await call
        told = grpc.StatusCode.INVALID_ARGUMENT if size < 4_000_000 else grpc.StatusCode.RESOURCE_EXHAUSTED
        assert raised.value.code() is told, raised.value.details()


async def test_a_key_is_made_used_and_revoked_by_rest_and_works_in_grpc(house: House) -> None:
    metadata = dict(await house.user("Keys"))
    path = "/single-feature-api/meetings"
    async with httpx.AsyncClient(base_url=f"http://{house.address}", timeout=PATIENCE_S) as http:
        asked = {"name": "a bot", "scopes": ["read"], "expires_in_days": 1}
        made = (await http.post("/api/keys", json=asked, headers=metadata)).json()
        key = {"authorization": f"Bearer {made['secret']}"}
        assert (await http.get(path, headers=key)).status_code == 200
        refused = await http.get("/api/users", headers=key)
        message = "Not allowed with a key of the scopes read and the role owner"
        assert (refused.status_code, refused.json()) == (403, {"message": message})
        async with aio.insecure_channel(house.address) as channel:
            stub = meetings_pb2_grpc.MeetingServiceStub(channel)
            await stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=tuple(key.items()))
        listed = (await http.get("/api/keys", headers=metadata)).json()["keys"]
        assert [one["id"] for one in listed] == [made["key"]["id"]]
        assert (await http.delete(f"/api/keys/{made['key']['id']}", headers=metadata)).json() == {}
        assert (await http.get(path, headers=key)).status_code == 401


async def test_owners_read_the_audit_log_by_rest_with_the_address_that_the_gateway_sees(house: House) -> None:
    metadata = dict(await house.user("Watched"))
    async with httpx.AsyncClient(base_url=f"http://{house.address}", timeout=PATIENCE_S) as http:
        asked = {"name": "a bot", "scopes": ["read"]}
        forged = {"x-client-address": "192.0.2.1", "x-forwarded-for": "192.0.2.1", "x-request-id": "mine-1"}
        made = (await http.post("/api/keys", json=asked, headers={**metadata, **forged})).json()["key"]
        key_id, path = made["id"], "/api/organization/audit"
        wanted = {"object": key_id, "action": "change", "from": "2020-01-01", "to": "2100-01-01T00:00:00Z"}
        answer = (await http.get(path, params=wanted, headers=metadata)).json()
        (event,) = answer["events"]
        assert answer["next_page_token"] == ""
        assert (event["method"], event["address"], event["request_id"], event["count"]) == (
            *("KeyService/CreateKey", "127.0.0.1", "mine-1", 1),
        )
        assert (await http.get(path, params={"to": "2020-01-01"}, headers=metadata)).json()["events"] == []
        refused = await http.get(path, params={"from": "yesterday"}, headers=metadata)
        assert (refused.status_code, refused.json()["message"][:20]) == (400, "Bad request: from: m")


async def test_meetings_are_chosen_for_comparison_by_repeating_their_hash(house: House) -> None:
    metadata = dict(await house.user("Comparing"))
    async with httpx.AsyncClient(base_url=f"http://{house.address}", timeout=PATIENCE_S, headers=metadata) as http:
        path, two = "/api/organization/meeting-scores", [("file-hash", "a" * 64), ("file-hash", "b" * 64)]
        found = await http.get(path, params=[*two, ("from", "2026-01-01")])
        assert (found.status_code, found.json()) == (200, {"meetings": [], "next_page_token": ""})
        refused = await http.get(path, params=[*two, ("file-hash", "b")])
        assert refused.status_code == 400
        assert refused.json()["message"].startswith("Bad request: file-hash: ")
