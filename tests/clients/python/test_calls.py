"""Calls of any service: signed, with the client's errors; reads are repeated, nothing else is."""

from __future__ import annotations

import importlib

import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from meetra.v1 import auth_pb2, export_pb2, keys_pb2, keys_pb2_grpc, live_pb2, meetings_pb2

from meetra_client import InternalError, MeetraClient, MeetraError, Patience, Unauthenticated, Unreachable
from meetra_client.calls import is_read
from tests.clients.python.any_call_server import PUBLIC_SERVICES, AnyCallServer

Running = tuple[AnyCallServer, MeetraClient]
METHODS = sorted(f"{name}/{method.name}" for name, service in PUBLIC_SERVICES.items() for method in service.methods)


def test_the_services_are_all_that_are_public() -> None:
    from tests.recordings import ROOT

    declared = {
        line.split()[1]
        for path in (ROOT / "proto" / "meetra" / "v1").glob("*.proto")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("service ")
    }
    assert {name.rpartition(".")[2] for name in PUBLIC_SERVICES} == declared


@pytest.mark.parametrize("path", METHODS)
async def test_every_public_call_is_reached_signed(any_call: Running, path: str) -> None:
    server, client = any_call
    service, _, name = path.partition("/")
    descriptor = PUBLIC_SERVICES[service]
    method = descriptor.methods_by_name[name]
    module = importlib.import_module(descriptor.file.name.removesuffix(".proto").replace("/", ".") + "_pb2_grpc")
    stub = client.stub(getattr(module, f"{descriptor.name}Stub"))
    messages = importlib.import_module(module.__name__.removesuffix("_grpc"))
    request = getattr(messages, method.input_type.name)()

    async def requests() -> object:
        yield request

    calling = getattr(stub, name)(requests() if method.client_streaming else request)
    answers: list[Message] = [each async for each in calling] if method.server_streaming else [await calling]
    assert [answer.DESCRIPTOR for answer in answers] == [method.output_type]
    assert (server.called, server.authorized) == ([path], ["Bearer a token"])


def test_what_only_reads_is_what_http_calls_get() -> None:
    assert is_read("/meetra.v1.InsightsService/GetTranscription")
    assert is_read("/meetra.v1.KeyService/ListKeys")
    for write in ("KeyService/CreateKey", "AuthService/Login", "MeetingService/DeleteMeeting", "LiveService/SendAudio"):
        assert not is_read(f"/meetra.v1.{write}")


async def test_a_read_waits_for_a_server_that_starts_anew_and_a_write_does_not(any_call: Running) -> None:
    server, client = any_call
    stub = client.stub(keys_pb2_grpc.KeyServiceStub)
    server.failures = [StatusCode.UNAVAILABLE] * 2
    await stub.ListKeys(keys_pb2.ListKeysRequest())
    assert len(server.called) == 3
    server.failures = [StatusCode.UNAVAILABLE]
    with pytest.raises(MeetraError, match="as it was told"):
        await stub.CreateKey(keys_pb2.CreateKeyRequest())
    assert len(server.called) == 4


async def test_a_server_that_stays_away_is_unreachable() -> None:
    async with MeetraClient("http://127.0.0.1:1", token="a token", patience=Patience(call_s=0.2)) as client:
        with pytest.raises(Unreachable, match="UNAVAILABLE"):
            await client.status("f" * 64)


async def test_a_refusal_is_told_in_the_server_s_words_and_not_repeated(any_call: Running) -> None:
    server, client = any_call
    server.failures = [StatusCode.INTERNAL]
    with pytest.raises(InternalError, match="as it was told"):
        await client.status("f" * 64)
    server.failures = [StatusCode.UNAUTHENTICATED]
    with pytest.raises(Unauthenticated):
        await client.status("f" * 64)
    assert len(server.called) == 2


async def test_a_stream_that_is_refused_raises_the_same_errors(any_call: Running) -> None:
    from meetra.v1 import export_pb2_grpc, live_pb2_grpc

    server, client = any_call
    server.failures = [StatusCode.INTERNAL, StatusCode.UNAUTHENTICATED]
    with pytest.raises(InternalError, match="as it was told"):
        async for _ in client.stub(export_pb2_grpc.ExportServiceStub).ExportOrganization(
            export_pb2.ExportOrganizationRequest()
        ):
            pass

    async def config() -> object:
        yield live_pb2.StreamMeetingRequest()

    with pytest.raises(Unauthenticated):
        async for _ in client.stub(live_pb2_grpc.LiveServiceStub).StreamMeeting(config()):  # type: ignore[arg-type]
            pass


@pytest.fixture
async def by_password(any_call: Running) -> tuple[AnyCallServer, MeetraClient]:
    """The server knows one token, which comes after one that it does not know."""
    server, client = any_call
    server.tokens = {"new"}
    server.answers["Login"] = [auth_pb2.LoginResponse(token="old"), auth_pb2.LoginResponse(token="new")]
    return server, MeetraClient(client._url, email="a", password="b")


async def test_an_expired_token_is_renewed_once(by_password: Running) -> None:
    server, opened = by_password
    async with opened as client:
        await client.delete("f" * 64)
        assert [call.rpartition("/")[2] for call in server.called] == [
            "Login",
            "DeleteMeeting",
            "Login",
            "DeleteMeeting",
        ]
        server.tokens = {"neither"}
        with pytest.raises(Unauthenticated):
            await client.delete("f" * 64)


async def test_an_upload_too_survives_the_expiry_of_its_token(by_password: Running) -> None:
    server, opened = by_password
    async with opened as client:
        await client.upload(b"a recording")
    assert b"".join(r.body.data for r in server.requests if isinstance(r, meetings_pb2.UploadMeetingRequest)) == (
        b"a recording"
    )
