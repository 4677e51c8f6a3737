"""The habits of ordinary HTTP clients and of what stands before us: each is served, or told what to change."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import grpc
import httpx
import pytest
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from tests.e2e import raw_http2
from tests.e2e.conftest import Rest, System
from tests.e2e.raw_http import head, raw
from tests.e2e.test_live_http import control, opened

MEETINGS = "/single-feature-api/meetings"
UPLOAD = "/single-feature-api/upload"
UNKNOWN = "0" * 64
NOBODY = "/api/meeting/speakers/00000000-0000-4000-8000-000000000000"


def test_http_1_0_is_served_with_or_without_a_host(rest: Rest) -> None:
    for host in ([], ["Host: localhost"]):
        answer = raw(rest, head(rest, f"GET {MEETINGS}?page_size=1 HTTP/1.0", *host))
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n"), answer[:200]
        assert answer.partition(b"\r\n\r\n")[2].startswith(b'{"meetings"')


def test_cookies_are_no_burden_and_headers_beyond_the_limit_are_431(rest: Rest) -> None:
    for size in (15_000, 20_000, 50_000):
        assert rest.http.get(MEETINGS, headers={"cookie": "a=" + "x" * size}).status_code == 200
    for headers in ({"cookie": "a=" + "x" * 100_000}, {"authorization": "Bearer " + "x" * 100_000}):
        answer = rest.http.get(MEETINGS, headers=headers)
        assert (answer.status_code, answer.json()) == (431, {"message": "Request Header Fields Too Large"})


@pytest.mark.parametrize("size", [1000, 50_000, 62_000, 100_000, 240_000])
def test_over_http_2_too_it_is_431_and_no_reset(rest: Rest, size: int) -> None:
    # A header of more than 64 KiB the codec takes for a broken connection.
    parts = {f"x-{at}": "x" * min(50_000, size - at) for at in range(0, size, 50_000)}
    headers = {"authorization": f"Bearer {rest.token}", **parts}
    answer = raw_http2.get(rest.gateway, f"{MEETINGS}?page_size=1", headers)
    assert not answer.reset, answer.frames
    if size < 60_000:
        assert set(json.loads(answer.body)) == {"meetings", "next_page_token"}
    else:
        assert json.loads(answer.body) == {"message": "Request Header Fields Too Large"}
        assert b"431" in answer.headers


def test_many_headers_are_no_reset_either(rest: Rest) -> None:
    headers = {"authorization": f"Bearer {rest.token}", **{f"x-{number}": "y" for number in range(500)}}
    assert b'"meetings"' in raw_http2.get(rest.gateway, MEETINGS, headers).body
    assert rest.http.get(MEETINGS, headers=headers).status_code == 200


def test_a_grpc_call_with_too_much_metadata_is_told_so(rest: Rest) -> None:
    with grpc.insecure_channel(urlsplit(rest.gateway).netloc) as channel:
        stub = meetings_pb2_grpc.MeetingServiceStub(channel)
        token = ("authorization", f"Bearer {rest.token}")
        assert stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=(token, ("x-note", "x" * 50_000)))
        notes = (("x-one", "x" * 40_000), ("x-two", "x" * 40_000))
        with pytest.raises(grpc.RpcError) as raised:
            stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=(token, *notes))
    error: Any = raised.value
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "Request Header Fields Too Large" in error.details()


@pytest.mark.parametrize("token", ["x" * 20_000, "x" * 50_000, "\xff"])
def test_a_token_that_is_none_is_401_however_long(rest: Rest, token: str) -> None:
    answer = rest.http.get(MEETINGS, headers={b"authorization": f"Bearer {token}".encode("latin-1")})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize(
    ("path", "status"), [(f"{MEETINGS}?page_size=1", 200), ("/nowhere", 404), ("/speakers-balance", 400)]
)
def test_head_is_get_without_the_body(rest: Rest, path: str, status: int) -> None:
    asked = rest.http.head(path)
    assert (asked.status_code, asked.content) == (status, b"")
    assert asked.headers["content-type"] == rest.http.get(path).headers["content-type"]
    # Nothing of a body is left on the connection for the next answer to begin with.
    assert rest.http.get(path).status_code == status


def test_an_answer_of_any_length_comes_whole_and_head_states_its_length(system: System) -> None:
    password = system.add_user("busy@example.org", "--organization", "Busy")
    busy = system.login("busy@example.org", password)

    async def fill() -> None:
        connection = await asyncpg.connect((system.data / "run" / "database_url").read_text().strip())
        await connection.execute(
            "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, media_type, size_bytes, status,"
            " stage) SELECT gen_random_uuid(), organization_id, id, encode(sha256(n::text::bytea), 'hex'),"
            " repeat('名', 490), 'audio/wav', 1, 'ready', 'done' FROM users,"
            " generate_series(1, 1000) n WHERE email = 'busy@example.org'"
        )
        await connection.close()

    asyncio.run(fill())
    answer = busy.http.get(MEETINGS, params={"page_size": 1000})
    assert answer.status_code == 200, answer.text[:200]
    assert len(answer.json()["meetings"]) == 1000
    assert len(answer.content) > 1_500_000
    asked = busy.http.head(MEETINGS, params={"page_size": 1000})
    assert (asked.headers["content-length"], asked.content) == (str(len(answer.content)), b"")


def test_head_of_a_stream_ends(rest: Rest) -> None:
    ready = opened(rest)
    for session_id, status in ((ready["session_id"], 200), ("00000000-0000-4000-8000-000000000000", 404)):
        answer = rest.http.head(f"/single-feature-api/live/{session_id}/events")
        assert (answer.status_code, answer.content) == (status, b"")
    assert control(rest, ready, "CONTROL_FINISH").status_code == 200


def test_a_compressed_json_body_is_unpacked_within_bounds(rest: Rest) -> None:
    def put(body: bytes, encoding: str) -> tuple[int, Any]:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        answer = rest.http.put(NOBODY, content=body, headers=headers)
        return answer.status_code, answer.json()["message"]

    assert put(gzip.compress(b'{"alias": "Anna"}'), "gzip") == (404, "Speaker not found")
    assert put(gzip.compress(b'{"alias": "' + b"x" * 40_000_000 + b'"}'), "gzip") == (413, "Request too large")
    assert put(b"anything", "zstd") == (415, "content-encoding: not supported; use gzip, or send the body uncompressed")


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        (
            "GET",
            f"/speakers-balance?file-hash={UNKNOWN}&include_details=x",
            None,
            "include_details: must be true or false",
        ),
        ("GET", "/speakers-balance?file-hash=%FF", None, "file-hash: not UTF-8"),
        ("PUT", "/api/meeting/speakers/%FF", b'{"alias": "x"}', "id: not UTF-8"),
        ("POST", f"{UPLOAD}?name=R%E9union", b"x", "name: not UTF-8"),
        ("GET", f"{MEETINGS}?page_size=1e9", None, "page_size: must be a whole number from -2147483648 to 2147483647"),
        ("GET", f"{MEETINGS}?colour=blue", None, "colour: unknown parameter"),
        ("PUT", NOBODY, b"[1]", "body: must be a single value, not a list"),
        ("PUT", NOBODY, b'{"alias": 1}', "alias: must be a string"),
        ("PUT", NOBODY, b'{"alias": {}}', "alias: must be a single value, not an object"),
        ("PUT", NOBODY, b'{"alias": "\xff"}', "body: not UTF-8"),
        ("PUT", NOBODY, b"alias=x", "body: not well-formed JSON"),
        ("PUT", NOBODY, b"\xef\xbb\xbf{}", "body: begins with a byte order mark; remove it"),
        ("PUT", NOBODY, b"[" * 5000, "body: nested too deeply"),
        ("PUT", NOBODY, b'{"alias": 1e999}', "body: contains a number out of range"),
        ("POST", "/api-login", b"[]", "body: must be a JSON object"),
        (
            "PUT",
            NOBODY,
            '{"alias": "\u200b"}'.encode(),
            "alias: has no visible characters; use letters, digits or symbols",
        ),
        (
            "PUT",
            NOBODY,
            b'{"alias": "\\u202eleinaD"}',
            "alias: contains bidirectional control characters; remove them",
        ),
    ],
)
def test_a_400_says_in_plain_words_what_to_mend(
    rest: Rest, method: str, path: str, body: bytes | None, message: str
) -> None:
    answer = rest.http.request(
        method, path, content=body, headers={"content-type": "audio/wav"} if body == b"x" else {}
    )
    assert (answer.status_code, answer.json()["message"]) == (400, f"Bad request: {message}")


def test_a_doubled_parameter_is_named(rest: Rest) -> None:
    path = f"/single-feature-api/meeting/meeting-dynamics?file-hash={UNKNOWN}&period_seconds=10&period_seconds=20"
    answer = rest.http.get(path)
    assert (answer.status_code, answer.json()) == (
        400,
        {"message": "Bad request: period_seconds: given more than once"},
    )


@pytest.mark.parametrize(
    ("line", "headers", "message"),
    [
        (f"GET {MEETINGS} HTTP/1.1", [], "the request is not well-formed HTTP"),
        (f"GET {MEETINGS}#top HTTP/1.1", ["Host: x"], "the request is not well-formed HTTP"),
        (f"GET {MEETINGS}?name=R\xe9 HTTP/1.1", ["Host: x"], "the request is not well-formed HTTP"),
        (
            f"POST {UPLOAD} HTTP/1.1",
            ["Host: x", "Transfer-Encoding: gzip, chunked"],
            "transfer-encoding: only chunked is supported",
        ),
        (
            f"GET {MEETINGS} HTTP/1.1",
            ["Host: x", "Upgrade: websocket", "Connection: upgrade"],
            "upgrade: not supported",
        ),
    ],
)
def test_what_is_not_http_as_we_speak_it_is_one_line_of_json(
    rest: Rest, line: str, headers: list[str], message: str
) -> None:
    request = "\r\n".join([line, f"Authorization: Bearer {rest.token}", *headers, "", ""]).encode("latin-1")
    address = urlsplit(rest.gateway)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert f'{{"message":"Bad request: {message}"}}'.encode() in answer


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("grpc-timeout", "soon"),
        ("grpc-timeout", "1n"),
        ("grpc-encoding", "nothing"),
        ("x-anything-bin", "!!!"),
        ("x-http-code", "500"),
        ("accept", "text/html"),
        ("range", "bytes=0-3"),
        ("if-none-match", "*"),
        ("x-http-method-override", "DELETE"),
        ("expect", "100-continue"),
    ],
)
def test_headers_that_are_not_for_us_change_nothing(rest: Rest, header: str, value: str) -> None:
    answer = rest.http.get(MEETINGS, params={"page_size": 1}, headers={header: value})
    assert (answer.status_code, set(answer.json())) == (200, {"meetings", "next_page_token"})


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_of_a_token_is_read_in_any_case(rest: Rest, scheme: str) -> None:
    answer = httpx.get(rest.gateway + MEETINGS, headers={"authorization": f"{scheme} {rest.token}"})
    assert answer.status_code == 200
