"""Health and reflection: open to everybody, and as plain about requests that are none as our own services."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cli.free_port import free_port
from health import ALIVE, states
from server.storage.pool import Database
from tests.databases import end_checks
from tests.e2e import hostile
from tests.server.api.conftest import Api, running_api

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
PATIENCE_S = 300
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


async def refusal(api: Api, method: str, message: bytes) -> tuple[grpc.StatusCode, str]:
    """The status and the message with which a call of raw bytes ends."""
    method_of_bytes: Any = api.channel.stream_stream(method)
    call = method_of_bytes(iter([message]), timeout=60)
    try:
        async for _ in call:
            pass
    except aio.AioRpcError:
        pass
    return await call.code(), await call.details()


@pytest.mark.parametrize("method", [CHECK, WATCH, REFLECTION])
async def test_bytes_that_are_no_message_are_an_invalid_argument(api: Api, method: str) -> None:
    for garbage in (b"\xff", b"\x0a\xff", b"\x0a\x05abc", random.Random(1).randbytes(300)):
        code, said = await refusal(api, method, garbage)
        assert (code, said) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "Bad request: body: not a valid request message of this method",
        )


async def test_the_text_that_is_not_utf_8_is_named(api: Api) -> None:
    for method, name, message in (
        (CHECK, "service", b"\x0a\x01\xff"),
        (WATCH, "service", b"\x0a\x01\xff"),
        (REFLECTION, "fileContainingSymbol", b"\x22\x01\xff"),
    ):
        code, said = await refusal(api, method, message)
        assert (code, said) == (grpc.StatusCode.INVALID_ARGUMENT, f"Bad request: {name}: not UTF-8")


async def test_no_request_of_reflection_is_an_internal_error(api: Api) -> None:
    method = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].methods_by_name["ServerReflectionInfo"]
    for message in hostile.messages(method, 1, 300):
        code, said = await refusal(api, REFLECTION, message)
        assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT), (message, said)


async def test_health_and_reflection_answer_without_a_token(api: Api) -> None:
    health = health_pb2_grpc.HealthStub(api.channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == serving
    assert (await health.Check(health_pb2.HealthCheckRequest(service=ALIVE))).status == serving
    with pytest.raises(aio.AioRpcError) as raised:
        await health.Check(health_pb2.HealthCheckRequest(service="unknown"))
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    watching = health.Watch(health_pb2.HealthCheckRequest())
    assert (await watching.read()).status == serving
    watching.cancel()
    reflection = reflection_pb2_grpc.ServerReflectionStub(api.channel)
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    (answer,) = [answer async for answer in reflection.ServerReflectionInfo(iter(asked))]
    assert "meetra.v1.MeetingService" in {service.name for service in answer.list_services_response.service}


async def test_without_its_database_it_is_alive_and_does_not_serve(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "CHECK_EVERY_S", 0.01)
    async with running_api(owner, database, tmp_path) as api:
        health = health_pb2_grpc.HealthStub(api.channel)
        watching = health.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        seen = [(await watching.read()).status]
        answering = database._url
        # Its connection breaks, and no other one can be made.
        database._url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
        lost = asyncio.create_task(watching.read())
        while not lost.done():
            # Again: the first look may not have been taken yet.
            await database.run(end_checks)
            await asyncio.sleep(0.05)
        seen.append((await lost).status)
        alive = await health.Check(health_pb2.HealthCheckRequest(service=ALIVE))
        database._url = answering
        seen.append((await watching.read()).status)
        watching.cancel()
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert (seen, alive.status) == ([serving, not_serving, serving], serving)


async def test_our_own_methods_still_need_one(api: Api) -> None:
    code, said = await refusal(api, "/meetra.v1.MeetingService/ListMeetings", b"")
    assert (code, said) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")
