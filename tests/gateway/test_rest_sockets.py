"""Pages at real Envoy: WebSockets, tokens where no header can be set, and what is opened by none of it."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from gateway.token_filter import SESSION_ISSUER, SESSION_TOKEN
from server.api.public_services import public_methods
from server.auth import KeySet
from server.auth.session_tokens import SessionMaker, SessionTokens
from server.storage.pool import Database
from tests.gateway.conftest import TRACK
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.gateway.test_token_filter import ANOTHER
from tests.server.api.conftest import Api, running_api
from tests.server.api.test_live_socket import PATH, audio, closed, heard, opened
from tests.server.signing import KEYS, tokens

pytestmark = pytest.mark.system
ORIGIN = "https://app.example.com"


class Page:
    """A page's way to its meeting."""

    def __init__(self, api: Api, address: str, folder: Path) -> None:
        self.api, self.address, self.folder = api, address, folder
        self.http = httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S)
        self.session_id = self.file_hash = self.token = ""

    async def begin(self) -> None:
        """A backend opens the meeting, and makes the token."""
        headers = dict(self.api.metadata)
        body = {"name": "Page", "tracks": [{"track_id": "mic", "kind": 1, "encoding": 1, "sample_rate_hz": 16_000}]}
        answer = await self.http.post("/single-feature-api/live", json=body, headers=headers)
        self.session_id, self.file_hash = (answer.json()["ready"][name] for name in ("session_id", "file_hash"))
        self.token = await self.made("send", "watch")

    async def made(self, *scopes: str) -> str:
        path, headers = f"/single-feature-api/live/{self.session_id}/tokens", dict(self.api.metadata)
        answer = await self.http.post(path, json={"scopes": scopes}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"token", "expires_at"}
        token: str = answer.json()["token"]
        return token

    @property
    def resumed(self) -> dict[str, Any]:
        return {"session_id": self.session_id, "take_over": True}

    @asynccontextmanager
    async def socket(self, query: str = "", path: str = PATH, **options: Any) -> AsyncIterator[ClientConnection]:
        async with (
            asyncio.timeout(PATIENCE_S),
            connect(
                f"ws://{self.address}{path}{query}", proxy=None, open_timeout=PATIENCE_S, **options
            ) as opened_socket,
        ):
            yield opened_socket

    async def status(self, **options: Any) -> int:
        """Of a refused handshake."""
        with pytest.raises(InvalidStatus) as refusal:
            async with self.socket(**options):
                pass
        assert set(json.loads(refusal.value.response.body)) == {"message"}
        status: int = refusal.value.response.status_code
        # A page that may not call is told by its status alone.
        reasons = {400: "BAD_REQUEST", 401: "UNAUTHENTICATED", 403: None}
        assert refusal.value.response.headers.get("x-meetra-reason") == reasons[status]
        return status


@pytest.fixture
async def page(owner: Database, database: Database, tmp_path: Path) -> AsyncIterator[Page]:
    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        running_gateway(
            tmp_path,
            api.port,
            keys=KEYS.current,
            api_socket_port=api.socket_port,
            cors_origins=("https://*.example.com",),
        ) as address,
    ):
        made = Page(api, address, tmp_path)
        await made.begin()
        yield made
        await made.http.aclose()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_token_comes_as_header_query_or_protocol(page: Page) -> None:
    ways: list[dict[str, Any]] = [
        {"additional_headers": bearer(page.token)},
        {"query": f"?access_token={page.token}"},
        {"query": f"?x=1&access_token={page.token}&y=2", "path": PATH + "/"},
        {"subprotocols": [Subprotocol("meetra.v1"), Subprotocol(f"bearer.{page.token}")]},
        {"subprotocols": [Subprotocol(f"bearer.{page.token}"), Subprotocol("meetra.v1")], "origin": Origin(ORIGIN)},
        # A backend's own, and compression that nobody speaks.
        {"additional_headers": dict(page.api.metadata), "compression": "deflate"},
    ]
    position = 0
    for way in ways:
        async with page.socket(**way) as connection:
            assert connection.subprotocol == ("meetra.v1" if "subprotocols" in way else None)
            assert connection.protocol.extensions == []
            assert (await opened(connection, **page.resumed))["tracks"][0]["next_sample"] == position
            await connection.send(audio(position, bytes(32_000)))
            position += 16_000
            assert (await heard(connection, "ack"))["tracks"][0]["next_sample"] == position
    path, by_hash = f"/single-feature-api/live/{page.session_id}/events", "/single-feature-api/live/events"
    watched = [
        f"{path}?access_token={page.token}",
        f"{path}?after_event_seq=0&access_token={page.token}",
        path,
        f"{by_hash}?file-hash={page.file_hash}&access_token={page.token}",
        f"{by_hash}/?access_token={page.token}&after_event_seq=0&file-hash={page.file_hash}",
        f"{by_hash}?file-hash={page.file_hash}",
    ]
    for asked in watched:
        headers = {"origin": ORIGIN, **({} if "access_token" in asked else bearer(page.token))}
        async with page.http.stream("GET", asked, headers=headers) as answer:
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            assert (await anext(answer.aiter_lines())).startswith("data: ")
    # Nothing that is written down has it.
    async with asyncio.timeout(PATIENCE_S):
        while True:
            logged = "".join(file.read_text(errors="replace") for file in page.folder.glob("*.log"))
            if logged.count('"status":101') == len(ways) and logged.count("/WatchMeeting") == len(watched):
                break
            await asyncio.sleep(0.2)
    assert page.token.split(".")[2] not in logged
    assert "access_token" not in logged


async def test_only_a_session_token_may_come_without_a_header_and_only_there(page: Page) -> None:
    users = dict(page.api.metadata)["authorization"].removeprefix("Bearer ")
    for query in ("", f"?access_token={users}", "?access_token=mk_key", "?access_token=", "?access_token=ms_"):
        assert await page.status(query=query) == 401
    for protocol in (f"bearer.{users}", "bearer.mk_key", "bearer.ms_x"):
        assert await page.status(subprotocols=[Subprotocol("meetra.v1"), Subprotocol(protocol)]) == 401
    events = f"/single-feature-api/live/{page.session_id}/events"
    by_hash, users_own = "/single-feature-api/live/events", f"?access_token={users}&file-hash={page.file_hash}"
    for path, query, status in (
        (by_hash, users_own, 400),
        (by_hash, f"?access_token=ms_x&file-hash={page.file_hash}", 401),
        (by_hash, f"?access_token={page.token}&file-hash={'0' * 64}", 404),
        (events, f"?access_token={users}", 400),
        (events, f"?access_token={page.token}&access_token={page.token}", 400),
        (events, "?access_token=ms_x", 401),
        ("/single-feature-api/meetings", f"?access_token={page.token}", 400),
        (f"/single-feature-api/live/{page.session_id}/control", f"?access_token={page.token}&owner=1", 404),
    ):
        answer = await page.http.get(path + query)
        assert answer.status_code == status, path
        assert page.token not in answer.text
    # A header counts more than what stands beside it.
    both = await page.http.get(f"{events}?access_token={page.token}", headers=bearer("x"))
    assert both.status_code in (400, 401)
    assert await page.status(query=f"?access_token={page.token}", additional_headers=bearer("x")) == 401


async def test_a_session_token_opens_nothing_else_at_either_wall(page: Page, tmp_path: Path) -> None:
    # The sound of a meeting has links, whose tokens are of the same kind.
    live = {"OpenMeeting", "SendAudio", "ControlMeeting", "WatchMeeting", "StreamMeeting", "GetMeetingAudio"}
    (tmp_path / "bare").mkdir()
    # Whatever gets through there is UNAVAILABLE: nobody listens.
    async with running_gateway(tmp_path / "bare", 9, keys=KEYS.current) as bare:
        for method in public_methods():
            path = f"/{method.containing_service.full_name}/{method.name}"
            if method.name in {"Login", "ListTokenKeys"}:
                continue
            for shown in (page.token, page.token.removeprefix("ms_")):
                refused = "UNAUTHENTICATED"
                if (method.name in live and shown == page.token) or method.name in {"StreamMeeting", "UploadMeeting"}:
                    refused = "UNAVAILABLE"
                assert await code_of(bare, path, shown) == refused, path
                if refused == "UNAUTHENTICATED" or shown != page.token:
                    assert await code_of(page.address, path, shown) == "UNAUTHENTICATED", path
                direct = f"127.0.0.1:{page.api.port}"
                denied = "PERMISSION_DENIED" if shown == page.token else "UNAUTHENTICATED"
                if method.name not in live or shown != page.token:
                    assert await code_of(direct, path, shown) == denied, path


@pytest.mark.parametrize("others_too", [False, True], ids=["ours alone", "others too"])
async def test_a_forged_one_reaches_no_api(
    owner: Database, database: Database, tmp_path: Path, others_too: bool
) -> None:

    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        # What the API takes, the gateway does not.
        running_gateway(
            tmp_path,
            api.port,
            keys=KeySet((ANOTHER,)),
            others_too=others_too,
            api_socket_port=api.socket_port,
        ) as address,
    ):
        page = Page(api, f"127.0.0.1:{api.port}", tmp_path)
        user = await api.token("Org", "a@example.org")
        async with aio.insecure_channel(page.address) as channel:
            stub: Any = live_pb2_grpc.LiveServiceStub(channel)
            asked = live_pb2.OpenMeetingRequest(config=live_pb2.LiveConfig(name="Page", tracks=[TRACK]))
            ready = (await stub.OpenMeeting(asked, metadata=(("authorization", f"Bearer {user}"),))).ready
            wanted = live_pb2.CreateSessionTokenRequest(session_id=ready.session_id, scopes=["send", "watch"])
            token = (await stub.CreateSessionToken(wanted, metadata=(("authorization", f"Bearer {user}"),))).token
        page.session_id, page.address = ready.session_id, address
        for method in ("OpenMeeting", "SendAudio", "ControlMeeting", "WatchMeeting", "StreamMeeting"):
            assert await code_of(address, f"/meetra.v1.LiveService/{method}", token) == "UNAUTHENTICATED"
        assert await page.status(query=f"?access_token={token}") == 401
        await page.http.aclose()


async def code_of(address: str, path: str, token: str) -> str:
    """How a call with an empty message ends."""
    async with aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        method: Any = channel.stream_stream(path)
        call = method(iter([b""]), metadata=(("authorization", f"Bearer {token}"),), timeout=PATIENCE_S)
        try:
            await call.read()
        except aio.AioRpcError as error:
            # gRPC's client says so where a call ended before its own message was sent.
            if error.details() == "Internal error from Core":
                return await code_of(address, path, token)
            return str(error.code().name)
        return str((await call.code()).name) if call.done() else "OK"


async def test_pages_of_other_origins_do_not_get_in(page: Page) -> None:
    async with page.socket(query=f"?access_token={page.token}", origin=Origin(f"http://{page.address}")) as own:
        await opened(own, **page.resumed)
    for origin in ("https://example.com.evil.com", "https://evil.com", "http://app.example.com", "null"):
        told = {"x-origin-allowed": "true", "x-forwarded-host": origin}
        assert await page.status(query=f"?access_token={page.token}", origin=Origin(origin)) == 403
        asked = {"query": f"?access_token={page.token}", "origin": Origin(origin), "additional_headers": told}
        assert await page.status(**asked) == 403


async def test_a_thousand_sockets_of_one_user_shut_out_nobody(page: Page) -> None:
    headers = {"authorization": f"Bearer {await page.api.token('Org', 'many@example.org')}"}

    # The API has a core here that it shares with all clients.
    at_once = asyncio.Semaphore(50)

    async def one() -> int:
        async with AsyncExitStack() as held:
            async with at_once:
                connection = await held.enter_async_context(page.socket(additional_headers=headers))
            return (await closed(connection))[0]

    # None says anything: the first are let go after a while, the others are told at once.
    many = [asyncio.create_task(one()) for _ in range(1000)]
    async with asyncio.timeout(PATIENCE_S):
        while sum(task.done() and task.result() == 4026 for task in many) < 500:
            await asyncio.sleep(0.1)
        neighbour = {"authorization": f"Bearer {await page.api.token('Neighbours', 'n@example.org')}"}
        async with page.socket(additional_headers=neighbour) as connection:
            assert (await opened(connection))["session_id"]
        codes = await asyncio.gather(*many)
    # 4006: the database answers late, where clients, server and database have a core together.
    assert set(codes) <= {4026, 4003, 4006}


async def test_what_is_no_handshake_is_refused_in_json(page: Page) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        answer = await page.http.request(method, PATH, headers=bearer(page.token))
        assert answer.status_code == (426 if method == "GET" else 404), method
        if method != "HEAD":
            assert set(answer.json()) == {"message"}
        assert answer.headers.get("x-meetra-reason") == ("BAD_REQUEST" if method == "GET" else None)
    # No other path upgrades.
    for path in ("/single-feature-api/meetings", f"/single-feature-api/live/{page.session_id}/events", f"{PATH}/x"):
        assert await page.status(path=path, additional_headers=bearer(page.token)) == 400
    key = base64.b64encode(uuid4().bytes).decode()
    strange = {"connection": "upgrade", "upgrade": "h2c", "sec-websocket-key": key}
    answer = await page.http.get(PATH, headers={**strange, **bearer(page.token)})
    assert answer.status_code == 426


async def test_a_server_that_stops_says_so(owner: Database, database: Database, tmp_path: Path) -> None:
    async with running_api(owner, database, tmp_path / "audio") as api:
        gateway = running_gateway(tmp_path, api.port, keys=KEYS.current, api_socket_port=api.socket_port)
        address = await gateway.__aenter__()
        page = Page(api, address, tmp_path)
        await page.begin()
        connection = await connect(f"ws://{address}{PATH}?access_token={page.token}", proxy=None)
        await opened(connection, **page.resumed)
        await page.http.aclose()
    assert (await closed(connection))[0] in (4025, 1001)
    await gateway.__aexit__(None, None, None)


def test_the_gateway_knows_the_tokens_by_issuer_and_prefix() -> None:
    maker = SessionMaker(uuid4(), uuid4(), uuid4(), 0, None)
    token, _ = SessionTokens(tokens()).issue(maker, uuid4(), ["send"], 60)
    claims = jwt.decode(token.removeprefix("ms_"), options={"verify_signature": False})
    assert claims["iss"] == SESSION_ISSUER
    assert re.fullmatch(SESSION_TOKEN, f"Bearer {token}")
