"""Envoy's own look at tokens: what it refuses reaches no API, and reads as the API's refusal does."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import jwt
import pytest
from grpc import aio
from meetra.v1 import access_pb2, live_pb2, live_pb2_grpc

from gateway.token_filter import ISSUER, WITHOUT_TOKEN, render_token_filter
from server.api.access import declared_rights
from server.api.public_services import public_methods
from server.auth import KeySet, TokenKey, TokenKeys, Tokens
from server.storage.pool import Database
from tests.gateway.conftest import TRACK
from tests.gateway.running_gateway import PATIENCE_S, running_gateway, show_keys
from tests.server.api.conftest import Api, running_api
from tests.server.signing import KEY, KEYS

pytestmark = pytest.mark.system

LISTED, SPEAKERS = "/single-feature-api/meetings", "/api/meeting/speakers"
ANOTHER = TokenKey.new(datetime.now(UTC) - timedelta(days=1))
# What differs from answer to answer.
VARYING = ("date", "x-request-id")
# By how much of an upload was sent before it was refused.
MAY_VARY = (*VARYING, "connection")


def signed(key: TokenKey = KEY, key_id: str = KEY.key_id, **changed: Any) -> str:
    now = int(time.time())
    claims = {"sub": str(uuid4()), "jti": str(uuid4()), "gen": 0, "iat": now, "exp": now + 6 * 3600}
    claims = {**claims, "iss": ISSUER, "aud": "meetra-api", **changed}
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key_id})


# By name, the header of a call; None: no header.
REFUSED: dict[str, str | None] = {
    "missing": None,
    "empty": "",
    "no scheme": signed(),
    "basic": "Basic YTpi",
    "malformed": "Bearer abc",
    "no token": "Bearer",
    "another key": f"Bearer {signed(ANOTHER)}",
    "another key under its own name": f"Bearer {signed(ANOTHER, ANOTHER.key_id)}",
    "a path for a key": f"Bearer {signed(key_id='../../../etc/passwd')}",
    "expired": f"Bearer {signed(exp=int(time.time()) - 5)}",
    "not yet": f"Bearer {signed(nbf=int(time.time()) + 3600)}",
    "another audience": f"Bearer {signed(aud='elsewhere')}",
    "another issuer": f"Bearer {signed(iss='https://elsewhere.example')}",
    "none": f"Bearer {jwt.encode({'iss': ISSUER, 'exp': 2**33}, '', algorithm='none')}",
    "HMAC with the public key": f"Bearer {jwt.encode({'iss': ISSUER}, KEY.jwk['x'], headers={'kid': KEY.key_id})}",
    "cut short": f"Bearer {signed()[:-4]}",
}


@pytest.fixture(params=["ours alone", "others too"])
async def doors(
    request: pytest.FixtureRequest, owner: Database, database: Database, tmp_path: Path
) -> AsyncIterator[tuple[Api, str, str]]:
    """The API, a gateway that looks at tokens, and one that leaves it to the API."""
    for name in ("looks", "does-not"):
        (tmp_path / name).mkdir()
    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        running_gateway(
            tmp_path / "looks", api.port, keys=KEYS.current, others_too=request.param == "others too"
        ) as looks,
        running_gateway(tmp_path / "does-not", api.port) as does_not,
    ):
        yield api, looks, does_not


async def by_rest(address: str, path: str, value: str | None) -> tuple[int, bytes, dict[str, str]]:
    headers = {} if value is None else {"authorization": value}
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http:
        answer = await http.get(path, headers=headers)
        return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n not in VARYING}


async def by_grpc(address: str, path: str, value: str | None) -> tuple[grpc.StatusCode, str, dict[str, object]]:
    """Status, message and trailers of a refusal."""
    # Where the answer comes before grpc's client has sent its message, it sometimes fails by itself, of any server.
    for _ in range(100):
        code, message, trailers = await _by_grpc(address, path, value)
        if message != "Internal error from Core":
            break
    return code, message, trailers


async def _by_grpc(address: str, path: str, value: str | None) -> tuple[grpc.StatusCode, str, dict[str, object]]:
    metadata = () if value is None else (("authorization", value),)
    async with aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        method: Any = channel.stream_stream(path)
        call = method(iter([b""]), metadata=metadata, timeout=PATIENCE_S)
        try:
            async for _ in call:
                pass
        except aio.AioRpcError:
            pass
        trailing = {name: found for name, found in (await call.trailing_metadata() or ()) if name not in VARYING}
        return await call.code(), await call.details(), trailing


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
async def test_a_refusal_of_envoy_reads_as_one_of_the_api(doors: tuple[Api, str, str], value: str | None) -> None:
    _, looks, does_not = doors
    for path in (LISTED, SPEAKERS, "/single-feature-api/live/x/events"):
        ours = await by_rest(looks, path, value)
        assert ours == await by_rest(does_not, path, value)
        assert ours[0] == 401
        named = {"error": "Unauthorized"} if path == SPEAKERS else {}
        assert json.loads(ours[1]) == {**named, "message": "Unauthorized"}
    for method in ("MeetingService/ListMeetings", "LiveService/StreamMeeting", "MeetingService/UploadMeeting"):
        spoken = await by_grpc(looks, f"/meetra.v1.{method}", value)
        assert spoken == await by_grpc(does_not, f"/meetra.v1.{method}", value)
        assert spoken[:2] == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")


async def test_a_refusal_reads_the_same_to_head_pages_and_uploads(doors: tuple[Api, str, str]) -> None:
    answers = []
    for address in doors[1:]:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http:
            http.headers = httpx.Headers({"authorization": f"Bearer {signed(ANOTHER)}"})
            preflight = {"origin": "https://x.example", "access-control-request-method": "GET"}
            files = {"file": ("meeting.wav", bytes(500_000), "audio/wav")}
            asked = [
                await http.head(LISTED),
                await http.get(LISTED, headers={"origin": "https://elsewhere.example"}),
                await http.get(LISTED, params={"page_size": "5"}),
                await http.request("DELETE", "/single-feature-api/meeting", params={"file-hash": "x"}),
                await http.put(f"{SPEAKERS}/x", json={"alias": "x"}),
                await http.post("/single-feature-api/upload", files=files),
                await http.post("/api/logout", json={}),
                await http.get("/api/nowhere"),
                await http.get(LISTED, params={"unknown": "x"}),
                await http.options(LISTED, headers=preflight),
            ]
            seen = [(one.status_code, one.content, sorted(one.headers.items())) for one in asked]
            answers.append([(s, b, [h for h in headers if h[0] not in MAY_VARY]) for s, b, headers in seen])
    assert answers[0] == answers[1]
    assert [status for status, _, _ in answers[0]] == [401] * 7 + [404, 400, 404]


async def test_what_envoy_refuses_reaches_no_api(tmp_path: Path) -> None:
    # Nobody listens there: whatever gets through is 503.
    async with running_gateway(tmp_path, 9, keys=KEYS.current) as address:
        for name, value in REFUSED.items():
            assert (await by_rest(address, LISTED, value))[0] == (503 if name == "another audience" else 401), name
        for value in (f"Bearer {signed()}", f"bEARER   {signed()}", "Bearer mk_somebody", "bearer  mk_somebody"):
            assert (await by_rest(address, LISTED, value))[:2] == (503, b'{"message":"Service unavailable"}')
        assert (await by_rest(address, "/.well-known/jwks.json", None))[0] == 503
        assert (await by_rest(address, "/api/nowhere", None))[0] == 404


@pytest.mark.parametrize("others_too", [False, True], ids=["ours alone", "others too"])
async def test_a_token_that_the_api_alone_would_take_gets_nowhere(
    owner: Database, database: Database, tmp_path: Path, others_too: bool
) -> None:
    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        running_gateway(tmp_path, api.port, keys=KeySet((ANOTHER,)), others_too=others_too) as address,
    ):
        direct = f"127.0.0.1:{api.port}"
        for method in public_methods():
            path = f"/{method.containing_service.full_name}/{method.name}"
            # One each: a call of them voids its own.
            value = f"Bearer {await api.token('Org', 'a@example.org')}"
            if path not in WITHOUT_TOKEN:
                assert (await by_grpc(address, path, value))[0] is grpc.StatusCode.UNAUTHENTICATED, path
                assert (await by_grpc(direct, path, value))[0] is not grpc.StatusCode.UNAUTHENTICATED, path
        value = f"Bearer {await api.token('Org', 'a@example.org')}"
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http:
            http.headers = httpx.Headers({"authorization": value})
            files = {"file": ("meeting.wav", b"RIFF", "audio/wav")}
            assert (await http.post("/single-feature-api/upload", files=files)).status_code == 401
            assert (await http.post("/single-feature-api/live", json={})).status_code == 401


async def test_what_the_api_takes_passes(doors: tuple[Api, str, str]) -> None:
    api, looks, _ = doors
    token = await api.token("Org", "a@example.org")
    for value in (f"Bearer {token}", f"bearer {token}", f"BEARER   {token}"):
        assert (await by_rest(looks, LISTED, value))[0] == 200
        assert (await by_grpc(looks, "/meetra.v1.MeetingService/ListMeetings", value))[0] is grpc.StatusCode.OK
    async with httpx.AsyncClient(base_url=f"http://{looks}", timeout=PATIENCE_S) as http:
        asked = {"name": "a bot", "scopes": ["read"]}
        made = (await http.post("/api/keys", json=asked, headers={"authorization": f"Bearer {token}"})).json()
        for scheme in ("Bearer ", "bearer ", "BEARER   "):
            assert (await http.get(LISTED, headers={"authorization": scheme + made["secret"]})).status_code == 200
        twice = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {made['secret']}")]
        for headers in (twice, twice[::-1], [twice[0], twice[0]], [twice[1], twice[1]]):
            answer = await http.get(LISTED, headers=headers)
            assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


async def test_the_public_keys_are_for_everybody_and_verify_tokens(doors: tuple[Api, str, str]) -> None:
    api, looks, _ = doors
    async with httpx.AsyncClient(base_url=f"http://{looks}", timeout=PATIENCE_S) as http:
        answer = await http.get("/.well-known/jwks.json")
        assert (answer.status_code, answer.json()) == (200, KEYS.current.jwks())
        assert set(answer.json()["keys"][0]) == {"kty", "crv", "x", "kid", "alg", "use"}
    token = await api.token("Org", "a@example.org")
    key = jwt.PyJWKSet.from_dict(answer.json())[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, audience="meetra-api", issuer="meetra")["gen"] == 0


async def test_keys_change_while_envoy_runs_and_a_stream_is_open(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        running_gateway(tmp_path, api.port, keys=KEYS.current) as address,
        aio.insecure_channel(address) as channel,
    ):
        token = await api.token("Org", "a@example.org")
        live: Any = live_pb2_grpc.LiveServiceStub(channel)
        stream = live.StreamMeeting(metadata=(("authorization", f"Bearer {token}"),), timeout=PATIENCE_S)
        config = live_pb2.LiveConfig(name="Under way", tracks=[TRACK])
        await stream.write(live_pb2.StreamMeetingRequest(config=config))
        assert (await stream.read()).ready.session_id
        assert (await by_rest(address, LISTED, f"Bearer {token}"))[0] == 200
        # Another key comes, and ours goes.
        show_keys(tmp_path, KeySet((ANOTHER,)))
        deadline = time.monotonic() + PATIENCE_S
        while (await by_rest(address, LISTED, f"Bearer {token}"))[0] != 401:
            assert time.monotonic() < deadline
        # What was let in goes on, and is heard.
        audio = live_pb2.AudioChunk(track_id="mic", first_sample=0, data=bytes(32_000))
        await stream.write(live_pb2.StreamMeetingRequest(audio=audio))
        while (heard := await stream.read()) is not aio.EOF:
            if heard.WhichOneof("payload") == "ack":
                break
        assert [track.track_id for track in heard.ack.tracks] == ["mic"]
        stream.cancel()


def test_methods_without_a_token_are_the_ones_that_declare_it() -> None:
    paths = {f"/{method.containing_service.full_name}/{method.name}" for method in public_methods()}
    open_to_all = {path for path in paths if access_pb2.RIGHT_NO_TOKEN in declared_rights(path)}
    assert set(WITHOUT_TOKEN) == {*open_to_all, "/grpc.health.v1.Health/Check"}


def test_the_issuer_is_that_of_the_tokens() -> None:
    token = Tokens(TokenKeys(lambda: KeySet((KEY,))), 60).issue(uuid4(), 0)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == ISSUER


def test_the_file_has_public_keys_alone() -> None:
    shown = render_token_filter(KEYS.current.jwks())
    assert KEY.jwk["x"] in shown
    assert '\\"d\\"' not in shown
