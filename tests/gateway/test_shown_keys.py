"""The keys that Envoy is shown: those of now, or the last ones that were known."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from grpc import aio
from meetra.v1 import auth_pb2

from cli.free_port import free_port
from gateway import shown_keys
from gateway.shown_keys import NoKeys, ShownKeys, ask_apis, read_file
from tests.server.signing import KEYS

JWKS = KEYS.current.jwks()


async def tell_keys(request: auth_pb2.ListTokenKeysRequest, context: object) -> auth_pb2.ListTokenKeysResponse:
    return ParseDict(JWKS, auth_pb2.ListTokenKeysResponse())


async def test_an_api_that_does_not_answer_is_told_unless_another_does() -> None:
    server = aio.server()
    method = grpc.unary_unary_rpc_method_handler(
        tell_keys,
        auth_pb2.ListTokenKeysRequest.FromString,
        auth_pb2.ListTokenKeysResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler("meetra.v1.AuthService", {"ListTokenKeys": method})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with (
        aio.insecure_channel(f"127.0.0.1:{free_port()}") as nobody,
        aio.insecure_channel(f"127.0.0.1:{port}") as somebody,
    ):
        assert await ask_apis([nobody, somebody]) == JWKS
        await server.stop(None)
        with pytest.raises(NoKeys, match="does not answer: UNAVAILABLE"):
            await ask_apis([nobody, somebody])


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"keys": []}', '{"keys": 1}'], ids=["empty", "nothing", "list", "no-key", "number"]
)
async def test_a_file_without_keys_is_none(text: str, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(text)
    with pytest.raises(NoKeys):
        await read_file(file)


async def test_keys_are_followed_and_the_last_known_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shown_keys, "LOOK_AGAIN_S", 0.01)
    file, shown, first = tmp_path / "jwks.json", tmp_path / "filter.json", asyncio.Event()
    keys = ShownKeys(partial(read_file, file), shown, others_too=False)
    following = asyncio.create_task(keys.follow(first))
    async with asyncio.timeout(300):
        while "cannot be read" not in caplog.text:
            await asyncio.sleep(0.01)
        assert not first.is_set()
        file.write_text(json.dumps(JWKS))
        await first.wait()
        assert JWKS["keys"][0]["x"] in shown.read_text()
        before = shown.read_text()
        file.write_text("{}")
        while "there is no key in it" not in caplog.text:
            await asyncio.sleep(0.01)
    following.cancel()
    assert shown.read_text() == before
    assert len([line for line in caplog.messages if "cannot be read" in line]) == 1
