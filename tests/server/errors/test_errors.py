"""One vocabulary of errors: what the server raises, what travels, what the client raises, what is written of it."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, errors_pb2

import meetra_client
from gateway.render import DESCRIPTORS
from meetra_client.connection import Endpoint
from server import errors
from server.api.rich_status import DETAILS_TRAILER, rich_status
from server.storage.pool import Database
from tests.recordings import ROOT
from tests.server.errors.refusing_server import EXAMPLES, RefusingServer, refused_login, refused_stream

PREFIX = "ERROR_REASON_"
ENUM_TYPES, VALUES = 5, 2
# What clients take of trailers by default, and what each costs beside name and value (RFC 9113, 6.5.2).
MAX_TRAILER_BYTES, TRAILER_OVERHEAD_BYTES = 8192, 32
each_error = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)


@pytest.fixture
async def refusing(owner: Database) -> AsyncIterator[tuple[RefusingServer, Endpoint]]:
    """The server, and where the client finds it."""
    servicer = RefusingServer(owner)
    server, port = await servicer.start()
    yield servicer, Endpoint.parse(f"http://127.0.0.1:{port}", keepalive_s=10)
    await server.stop(0)


@pytest.fixture(scope="module")
def comments() -> dict[str, str]:
    """What meetra/v1/errors.proto says of each reason, in one line."""
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    (file,) = (file for file in files if file.name == errors_pb2.DESCRIPTOR.name)
    names = [value.name for value in file.enum_type[0].value]
    return {
        names[place.path[3]].removeprefix(PREFIX): " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
        if list(place.path[:3]) == [ENUM_TYPES, 0, VALUES] and len(place.path) == 4
    }


def test_every_error_type_is_an_example_and_known_to_proto_client_and_docs(comments: dict[str, str]) -> None:
    kinds = set(errors.MeetraError.__subclasses__())
    assert {type(error) for error in EXAMPLES} == kinds
    reasons = {kind.reason for kind in kinds}
    assert len(reasons) == len(kinds)
    known = [name.removeprefix(PREFIX) for name in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name]
    assert set(known) == reasons | {"UNSPECIFIED"}
    assert {kind.__name__: kind.reason for kind in kinds} == {
        kind.__name__: kind.reason for kind in meetra_client.MeetraError.__subclasses__() if kind.reason
    }
    assert {kind.__name__ for kind in kinds} <= set(meetra_client.__all__)
    assert {kind.__name__ for kind in kinds} <= set(errors.__all__)
    assert re.findall(r"^\| `([A-Z_]+)`", page(), re.MULTILINE) == known[1:]


def test_comments_of_services_name_errors_by_reason() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    paragraphs = [
        paragraph
        for file in files
        if file.package == "meetra.v1" and file.name != errors_pb2.DESCRIPTOR.name
        for place in file.source_code_info.location
        for comment in (place.leading_comments, *place.leading_detached_comments)
        for paragraph in re.split(r"\n\s*\n", comment)
        if "Errors" in paragraph
    ]
    named = {name for paragraph in paragraphs for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", paragraph)}
    assert len(paragraphs) > 10
    assert named <= {name.removeprefix(PREFIX) for name in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name}


@each_error
async def test_the_client_raises_what_the_server_raised(
    refusing: tuple[RefusingServer, Endpoint], error: errors.MeetraError
) -> None:
    servicer, endpoint = refusing
    servicer.error = error
    for heard in (await refused_login(endpoint), await refused_stream(endpoint, await servicer.token())):
        assert type(heard).__name__ == type(error).__name__
        assert (heard.reason, str(heard), heard.facts) == (error.reason, error.message, error.facts)
        assert (heard.code, heard.retry_after_s) == (error.grpc_status, error.retry_after_s)


async def test_a_fault_that_is_no_error_of_ours_is_an_internal_one(
    refusing: tuple[RefusingServer, Endpoint],
) -> None:
    servicer, endpoint = refusing
    servicer.error = RuntimeError("an inside")
    heard = await refused_login(endpoint)
    assert isinstance(heard, meetra_client.InternalError)
    assert (str(heard), heard.facts) == ("Internal error", {})


@each_error
async def test_details_are_those_of_grpc_libraries(
    refusing: tuple[RefusingServer, Endpoint], error: errors.MeetraError
) -> None:
    servicer, endpoint = refusing
    servicer.error = error
    async with endpoint.channel() as channel:
        with pytest.raises(aio.AioRpcError) as raised:
            await auth_pb2_grpc.AuthServiceStub(channel).Login(auth_pb2.LoginRequest())
    trailers = dict(raised.value.trailing_metadata() or ())
    packed = trailers[DETAILS_TRAILER]
    assert isinstance(packed, bytes)
    status, info, retry = status_pb2.Status.FromString(packed), error_details_pb2.ErrorInfo(), None
    assert (status.code, status.message) == (raised.value.code().value[0], raised.value.details())
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason, dict(info.metadata)) == ("meetra", error.reason, error.facts)
    if error.retry_after_s is not None:
        retry = error_details_pb2.RetryInfo()
        assert status.details[1].Unpack(retry)
        assert retry.retry_delay.seconds == error.retry_after_s
        assert trailers["retry-after"] == error.facts["retry_after_s"] == str(error.retry_after_s)
    assert len(status.details) == (1 if retry is None else 2)


@each_error
def test_status_and_facts_are_those_that_are_written_down(comments: dict[str, str], error: errors.MeetraError) -> None:
    comment = comments[error.reason]
    http_status = dict(error.metadata())["x-http-code"]
    assert comment.startswith(f"{error.grpc_status.name}, {http_status}. ")
    assert set(re.findall(r"`([a-z_]+)`", comment.partition("Facts: ")[2])) == set(error.facts)
    (row,) = (line for line in page().splitlines() if line.startswith(f"| `{error.reason}` |"))
    _, _, status, http, facts, _, _ = (cell.strip() for cell in row.split("|"))
    assert (status, http) == (error.grpc_status.name, http_status)
    assert set(re.findall(r"`([a-z_]+)`", facts)) == set(error.facts)


@each_error
def test_an_error_says_something_to_people(error: errors.MeetraError) -> None:
    assert error.message


def test_the_trailers_of_the_largest_error_are_taken_by_every_client() -> None:
    error = errors.BadRequest("\U0001f388" * 1000, "\U0001f388" * 1000)
    status = rich_status(error)
    assert len(error.facts["field"]) == 64
    trailers = {
        "grpc-status": "3",
        "grpc-message": quote(status.message),
        DETAILS_TRAILER: base64.b64encode(status.SerializeToString()).decode(),
        **dict(error.metadata()),
        # Of an answer that is nothing but trailers.
        ":status": "200",
        "content-type": "application/grpc",
        "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "server": "envoy",
    }
    size = sum(len(name) + len(value) + TRAILER_OVERHEAD_BYTES for name, value in trailers.items())
    assert size <= MAX_TRAILER_BYTES


def page() -> str:
    return (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
