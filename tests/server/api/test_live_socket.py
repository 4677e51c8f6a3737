"""The WebSocket of a live meeting, before a real API: StreamMeeting in every respect but the frames."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc, meetings_pb2, meetings_pb2_grpc
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Origin, Subprotocol

from server.storage.pool import Database
from tests.server.api.conftest import Api, running_api

PATIENCE_S = 300
PATH = "/single-feature-api/live/socket"
TRACK = {
    "track_id": "mic",
    "kind": "TRACK_KIND_MIXED",
    "encoding": "AUDIO_ENCODING_PCM_S16LE",
    "sample_rate_hz": 16_000,
}
# Marks a compressed frame.
RSV1 = 0x40
CONFIG = {"config": {"name": "Page", "tracks": [TRACK]}}


def audio(first_sample: int, data: bytes, /, **more: Any) -> bytes:
    """A binary frame of audio."""
    return json.dumps({"track_id": "mic", "first_sample": first_sample, **more}).encode() + b"\n" + data


@asynccontextmanager
async def socket(api: Api, *, headers: dict[str, str] | None = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket of the user, without compression unless asked for."""
    shown = dict(api.metadata) if headers is None else headers
    uri = f"ws://127.0.0.1:{api.socket_port}{PATH}"
    async with asyncio.timeout(PATIENCE_S):
        async with connect(uri, additional_headers=shown, proxy=None, **{"compression": None, **options}) as opened:
            yield opened


async def heard(connection: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await connection.recv())
        if kind in message:
            found: dict[str, Any] = message[kind]
            return found


async def opened(connection: ClientConnection, **config: Any) -> dict[str, Any]:
    """The `ready` of a meeting that is opened, or resumed."""
    await connection.send(json.dumps({"config": config} if config else CONFIG))
    return await heard(connection, "ready")


async def closed(connection: ClientConnection) -> tuple[int, str]:
    """How the server closes."""
    try:
        while True:
            await connection.recv()
    except ConnectionClosed as error:
        # 1006: without a word.
        return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")


async def test_a_meeting_is_sent_acknowledged_and_finished(api: Api) -> None:
    async with socket(api) as connection:
        ready = await opened(connection)
        assert ready["tracks"] == [{"track_id": "mic", "next_sample": 0}]
        assert (ready["finishing"], ready["limits"]["chunk_bytes"]) == (False, 65_536)
        await connection.send(audio(0, bytes(32_000)))
        ack = await heard(connection, "ack")
        assert ack["tracks"] == [{"track_id": "mic", "next_sample": 16_000}]
        # A message of audio may be JSON in full as well, and fields that are not known are left out.
        whole = {"track_id": "mic", "first_sample": 16_000, "data": "AAAA" * 1000, "not_known": 1}
        await connection.send(json.dumps({"audio": whole}))
        assert (await heard(connection, "ack"))["tracks"][0]["next_sample"] == 17_500
        await connection.send(json.dumps({"control": "CONTROL_FLUSH"}))


async def test_a_client_that_closes_leaves_and_resumes(api: Api) -> None:
    async with socket(api) as connection:
        ready = await opened(connection)
        await connection.send(audio(0, bytes(32_000)))
        await heard(connection, "ack")
    async with socket(api) as connection:
        again = await opened(connection, session_id=ready["session_id"])
        assert again["tracks"] == [{"track_id": "mic", "next_sample": 16_000}]
        async with socket(api) as another:
            await another.send(json.dumps({"config": {"session_id": ready["session_id"]}}))
            assert await closed(another) == (
                4021,
                "HELD_BY_ANOTHER_CLIENT: Another client is connected to this meeting; set take_over to replace it",
            )
        async with socket(api) as another:
            assert (await opened(another, session_id=ready["session_id"], take_over=True))["session_id"]
            assert await closed(connection) == (4022, "TAKEN_OVER: Another client took over this meeting")


async def test_what_a_client_sent_before_it_closed_is_read(api: Api) -> None:
    async with socket(api) as connection:
        ready = await opened(connection)
        for second in range(20):
            await connection.send(audio(second * 16_000, bytes(32_000)))
    live = live_pb2_grpc.LiveServiceStub(api.channel)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            asked = pb.OpenMeetingRequest(config=pb.LiveConfig(session_id=ready["session_id"], take_over=True))
            position = (await live.OpenMeeting(asked, metadata=api.metadata)).ready.tracks[0].next_sample
            if position == 320_000:
                break
            await asyncio.sleep(0.1)


BAD: dict[str, tuple[list[str | bytes], int, str]] = {
    "no config first": ([json.dumps({"control": "CONTROL_FINISH"})], 4003, "config"),
    "audio before config": ([audio(0, b"abcd")], 4003, "config"),
    "no JSON": (["hello"], 4003, "frame"),
    "JSON without a message": (["[]"], 4003, "frame"),
    "a number": (["1e999"], 4003, "frame"),
    "an empty text": ([""], 4003, "frame"),
    "a list for an object": ([json.dumps({"config": [1]})], 4003, "frame"),
    "nested without end": (["[" * 100_000], 4003, "frame"),
    "objects without end": (['{"config":' * 9000], 4003, "frame: not a"),
    "a number of many digits": (['{"config":{"n_speakers":' + "9" * 90_000 + "}}"], 4003, "frame: not a"),
    "a long text": ([json.dumps({"config": {"name": "x" * 100_000}})], 4003, "at most 98304"),
    "a long list": ([json.dumps({"config": {"tracks": [{}] * 2000}})], 4003, "frame: more than 2000"),
    "two payloads": ([json.dumps({"config": CONFIG["config"], "control": "CONTROL_FLUSH"})], 4003, "frame"),
    "an unknown track": ([json.dumps(CONFIG), audio(0, b"abcd", track_id="x")], 4003, "audio.track_id"),
    "audio without a line": ([json.dumps(CONFIG), bytes(2000)], 4003, "frame"),
    "an empty frame": ([json.dumps(CONFIG), b""], 4003, "frame"),
    "a line that is no JSON": ([json.dumps(CONFIG), b"mic\n1234"], 4003, "frame"),
    "data in both": ([json.dumps(CONFIG), audio(0, b"abcd", data="AAAA")], 4003, "audio.data"),
    "half a sample": ([json.dumps(CONFIG), audio(0, b"abc")], 4003, "audio"),
    "a negative position": ([json.dumps(CONFIG), audio(-1, b"abcd")], 4003, "first_sample"),
    "a position too large": ([json.dumps(CONFIG), audio(2**32, b"abcd")], 4003, "first_sample"),
    "a gap": ([json.dumps(CONFIG), audio(7, b"abcd")], 4017, "send from 0"),
    "a large chunk": ([json.dumps(CONFIG), audio(0, bytes(65_538))], 4003, "audio.data"),
    "a second config": ([json.dumps(CONFIG), json.dumps(CONFIG)], 4003, "payload"),
    "no session": ([json.dumps({"config": {"session_id": "x"}})], 4003, "config.session_id"),
    "an unknown session": (
        [json.dumps({"config": {"session_id": "00000000-0000-4000-8000-000000000000"}})],
        4016,
        "SESSION_NOT_FOUND",
    ),
}


async def test_a_bad_frame_closes_with_the_reason(api: Api) -> None:
    async def end_of(frames: list[str | bytes]) -> tuple[int, str]:
        async with socket(api) as connection:
            for frame in frames:
                await connection.send(frame)
            return await closed(connection)

    ends = await asyncio.gather(*(end_of(frames) for frames, _, _ in BAD.values()))
    for name, (code, reason) in zip(BAD, ends, strict=True):
        assert code == BAD[name][1], (name, reason)
        assert BAD[name][2] in reason, (name, reason)


async def test_what_the_protocol_forbids_ends_the_connection_and_nothing_else(api: Api) -> None:
    large, text = audio(0, bytes(300_000)), b"\xff\xfe"
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 200_000
    codes = []
    for opcode, data, compressed in (
        (Opcode.BINARY, large, False),
        (Opcode.TEXT, text, False),
        (Opcode.BINARY, bomb, True),
        (Opcode.CONT, b"of nothing", False),
    ):
        # Compression is offered, and not agreed on.
        async with socket(api, compression="deflate") as connection:
            assert connection.protocol.extensions == []
            await opened(connection)
            sent = bytearray(Frame(opcode, data).serialize(mask=True))
            sent[0] |= RSV1 if compressed else 0
            connection.transport.write(sent)
            codes.append((await closed(connection))[0])
    assert codes == [1009, 1007, 1002, 1002]
    # In small fragments it is as large.
    async with socket(api, max_size=None) as connection:
        await opened(connection)
        with suppress(ConnectionClosed):
            await connection.send([bytes(1000)] * 1000)
        assert (await closed(connection))[0] == 1009
    async with socket(api) as connection:
        assert (await opened(connection))["session_id"]


async def test_a_client_that_says_nothing_is_let_go(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.api.live_socket.FIRST_FRAME_S", 0.2)
    async with socket(api) as connection:
        code, reason = await closed(connection)
    assert (code, "BAD_REQUEST" in reason) == (4003, True)


async def test_a_client_that_reads_nothing_is_waited_for_and_holds_no_memory(api: Api) -> None:
    async with socket(api) as connection:
        await opened(connection)
        connection.transport.pause_reading()
        # Four MiB of audio, a chunk at a time: each is acknowledged, and nobody reads it.
        for second in range(131):
            await connection.send(audio(second * 16_000, bytes(32_000)))
        connection.transport.resume_reading()
        while (await heard(connection, "ack"))["tracks"][0]["next_sample"] < 131 * 16_000:
            pass


async def test_a_client_that_answers_no_ping_is_let_go(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.live_socket.PING_EVERY_S", 0.2)
    monkeypatch.setattr("server.api.live_socket.PONG_WITHIN_S", 0.2)
    monkeypatch.setattr("server.api.live_socket.CLOSE_WITHIN_S", 0.2)
    async with running_api(owner, database, tmp_path) as api, socket(api) as gone:
        ready = await opened(gone)
        gone.transport.pause_reading()
        while True:
            async with socket(api) as connection:
                await connection.send(json.dumps({"config": {"session_id": ready["session_id"]}}))
                if await first_of(connection) == "ready":
                    break


async def first_of(connection: ClientConnection) -> str:
    """What the server says first, or the reason with which it closes."""
    try:
        return str(next(iter(json.loads(await connection.recv()))))
    except ConnectionClosed as error:
        return error.rcvd.reason if error.rcvd else ""


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", "Bearer mk_nobody", "Bearer ms_x", "Basic eDp5"])
async def test_without_a_token_nobody_is_let_in(api: Api, header: str) -> None:
    async with socket(api, headers={"authorization": header} if header else {}) as connection:
        assert await closed(connection) == (4001, "UNAUTHENTICATED: Unauthorized")


async def test_sockets_count_as_streams_of_their_user(owner: Database, database: Database, tmp_path: Path) -> None:
    async with running_api(owner, database, tmp_path, open_calls_per_user=4) as api:
        held = [socket(api) for _ in range(4)]
        connections = [await one.__aenter__() for one in held]
        for connection in connections:
            await opened(connection)

        # Many at once, and each is told.
        async def refused() -> tuple[int, str]:
            async with socket(api) as connection:
                return await closed(connection)

        answers = await asyncio.gather(*(refused() for _ in range(50)))
        assert {code for code, _ in answers} == {4026}
        live: Any = live_pb2_grpc.LiveServiceStub(api.channel).StreamMeeting(iter([]), metadata=api.metadata)
        with pytest.raises(Exception, match="limit of 4 open streams"):
            await live.read()
        for one in held:
            await one.__aexit__(None, None, None)
        # The places are free again.
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with socket(api) as connection:
                    try:
                        await opened(connection)
                        break
                    except ConnectionClosed:
                        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("origin", "allowed", "enters"),
    [
        (None, None, True),
        ("https://app.example", None, False),
        ("https://app.example", "true", True),
        ("https://app.example", "1", False),
        ("null", None, False),
        ("http://{host}", None, True),
        ("https://{host}", None, True),
        ("https://{host}.evil.example", None, False),
        ("https://evil.example/{host}", None, False),
        ("{host}", None, False),
    ],
    ids=["no page", "another", "allowed", "another word", "null", "own", "own TLS", "suffix", "path", "no scheme"],
)
async def test_pages_of_other_origins_are_refused(
    api: Api, origin: str | None, allowed: str | None, enters: bool
) -> None:
    host = f"127.0.0.1:{api.socket_port}"
    headers = {**dict(api.metadata), **({"x-origin-allowed": allowed} if allowed else {})}
    named = Origin(origin.format(host=host)) if origin is not None else None
    if enters:
        async with socket(api, headers=headers, origin=named) as connection:
            await opened(connection)
        return
    with pytest.raises(InvalidStatus) as refusal:
        async with socket(api, headers=headers, origin=named):
            pass
    assert refusal.value.response.status_code == 403
    assert "--cors-origin" in json.loads(refusal.value.response.body)["message"]


async def test_the_protocol_of_ours_is_chosen_where_it_is_offered(api: Api) -> None:
    async with socket(api, subprotocols=[Subprotocol("other"), Subprotocol("meetra.v1")]) as connection:
        assert connection.subprotocol == "meetra.v1"
    async with socket(api, subprotocols=[Subprotocol("other")]) as connection:
        assert connection.subprotocol is None


async def test_a_deleted_meeting_ends_the_connection(api: Api) -> None:
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    async with socket(api) as connection:
        ready = await opened(connection)
        await meetings.DeleteMeeting(
            meetings_pb2.DeleteMeetingRequest(file_hash=ready["file_hash"]), metadata=api.metadata
        )
        assert await closed(connection) == (4016, "SESSION_NOT_FOUND: The meeting was deleted")
