"""Drives every row of the contract through real Envoy; what passed is printed as a table at the end."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth import TokenKey, read_keys
from tests.e2e.checkpoint import held
from tests.e2e.conftest import Rest, System
from tests.e2e.contract import CONTRACT, Endpoint
from tests.e2e.contract_table import TABLE, lines, missing, passed
from tests.e2e.shapes import mismatch
from tests.recordings import excerpt

UNKNOWN_HASH = "0" * 64
BY_HASH = [e for e in CONTRACT if e.by_hash]
BAD_HASHES = {"empty": "", "short": "abc", "no hexadecimal": "g" * 64, "63": "0" * 63, "65": "0" * 65}
BAD_PERIODS = ["0", "-5", "9", "soon", "1.5", "99999", "99999999999", ""]

name_of: Callable[[Any], str] = lambda e: f"{e.row}-{e.path}" if isinstance(e, Endpoint) else str(e)  # noqa: E731


def error_body(endpoint: Endpoint, message: str) -> dict[str, str]:
    return {"error": message, "message": message} if endpoint.named_errors else {"message": message}


def is_error(endpoint: Endpoint, answer: httpx.Response, status: int, message: str) -> None:
    """The documented error; ``message`` may go on after a colon."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == set(error_body(endpoint, "")), body
    assert body["message"].split(":")[0] == message, body
    assert answer.headers["content-type"].startswith("application/json")


def call(client: httpx.Client, endpoint: Endpoint, params: dict[str, str], **headers: str) -> httpx.Response:
    """The endpoint with these parameters, and a body where it takes one."""
    path = endpoint.path.replace("{id}", params.pop("id", str(uuid4())))
    body: dict[str, Any] = {}
    if endpoint.row == "2":
        body = {"files": {"file": ("a.wav", b"RIFF", "audio/wav")}}
    elif endpoint.method in ("POST", "PUT"):
        body = {"json": {"alias": "Anna"}}
    return client.request(endpoint.method, path, params=params, headers=headers, **body)


@pytest.mark.parametrize("endpoint", BY_HASH, ids=name_of)
def test_200(rest: Rest, meeting: str, endpoint: Endpoint) -> None:
    asked: list[dict[str, str]] = [{}] + (
        [{"period_seconds": "10"}, {"period_seconds": "300"}] if endpoint.with_period else []
    )
    for more in asked:
        for file_hash in (meeting, meeting.upper()):
            answer = call(rest.http, endpoint, {"file-hash": file_hash, **more})
            assert answer.status_code == 200, answer.text
            assert mismatch(endpoint.shape, answer.json()) == ""
    passed(endpoint, "200", 2 * len(asked))


@pytest.mark.parametrize("endpoint", BY_HASH, ids=name_of)
def test_400_hash(rest: Rest, endpoint: Endpoint) -> None:
    for bad in BAD_HASHES.values():
        is_error(endpoint, call(rest.http, endpoint, {"file-hash": bad}), 400, "Bad request")
    if not endpoint.hash_optional:
        is_error(endpoint, call(rest.http, endpoint, {}), 400, "Bad request")
    passed(endpoint, "400", len(BAD_HASHES) + (not endpoint.hash_optional))


@pytest.mark.parametrize("endpoint", [e for e in CONTRACT if e.with_period], ids=name_of)
def test_400_period(rest: Rest, meeting: str, endpoint: Endpoint) -> None:
    for bad in BAD_PERIODS:
        answer = call(rest.http, endpoint, {"file-hash": meeting, "period_seconds": bad})
        is_error(endpoint, answer, 400, "Bad request")
    passed(endpoint, "period", len(BAD_PERIODS))


def signed(claims: dict[str, Any], key: TokenKey, **header: str) -> str:
    return jwt.encode(claims, key.private, "EdDSA", {"kid": key.key_id, **header})


def with_hmac(claims: dict[str, Any], secret: bytes, key_id: str) -> str:
    """A token that no library makes: HMAC with what everybody knows."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT", "kid": key_id}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return b".".join((text, base64.urlsafe_b64encode(hmac.digest(secret, text, "sha256")).rstrip(b"="))).decode()


@pytest.fixture(scope="module")
def bad_authorization(system: System, rest: Rest) -> dict[str, str | None]:
    """Headers that must not let anybody in."""
    (key,) = read_keys(system.data / "secrets" / "token-keys").keys
    another = TokenKey.new(datetime.now(UTC))
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(rest.token, options={"verify_signature": False})
    password = system.add_user("gone@example.org")
    gone = system.login("gone@example.org", password)
    # No call was made with this token, so nothing remembers its user.
    assert system.meetra("users", "revoke", "gone@example.org").returncode == 0
    return {
        "missing": None,
        "empty": "",
        "no scheme": rest.token,
        "malformed": "Bearer abc",
        "basic": "Basic YTpi",
        "wrong key": f"Bearer {signed(claims, another)}",
        "wrong key under the name of ours": f"Bearer {signed(claims, another, kid=key.key_id)}",
        "path for a key": f"Bearer {signed(claims, key, kid='../token-keys')}",
        "alg none": f"Bearer {jwt.encode(claims, '', 'none', {'kid': key.key_id})}",
        "HMAC with the public key": f"Bearer {with_hmac(claims, pem, key.key_id)}",
        "expired": f"Bearer {signed({**claims, 'exp': 1}, key)}",
        "not yet": f"Bearer {signed({**claims, 'nbf': claims['exp']}, key)}",
        "other issuer": f"Bearer {signed({**claims, 'iss': 'https://elsewhere.example'}, key)}",
        "other audience": f"Bearer {signed({**claims, 'aud': 'elsewhere'}, key)}",
        "cut short": f"Bearer {rest.token[:-4]}",
        "revoked": f"Bearer {gone.token}",
    }


@pytest.mark.parametrize("endpoint", [e for e in CONTRACT if e.row != "1"], ids=name_of)
def test_401(system: System, meeting: str, bad_authorization: dict[str, str | None], endpoint: Endpoint) -> None:
    with httpx.Client(base_url=system.gateway, timeout=30) as client:
        for value in bad_authorization.values():
            headers = {} if value is None else {"Authorization": value}
            params = {"file-hash": meeting} if endpoint.by_hash or endpoint.method == "DELETE" else {}
            answer = call(client, endpoint, params, **headers)
            assert (answer.status_code, answer.json()) == (401, error_body(endpoint, "Unauthorized"))
    passed(endpoint, "401", len(bad_authorization))


@pytest.mark.parametrize("endpoint", BY_HASH, ids=name_of)
def test_404(rest: Rest, stranger: Rest, meeting: str, endpoint: Endpoint) -> None:
    for client, file_hash in ((rest, UNKNOWN_HASH), (stranger, meeting)):
        answer = call(client.http, endpoint, {"file-hash": file_hash})
        assert (answer.status_code, answer.json()) == (404, error_body(endpoint, "Meeting not found"))
    passed(endpoint, "404", 2)


async def test_processing(system: System, rest: Rest) -> None:
    recording = excerpt(4, mark="in the making")
    async with held(system, recording) as point:
        file_hash = rest.upload(recording).json()["file_hash"]
        await point.reached()
        answers = {endpoint: call(rest.http, endpoint, {"file-hash": file_hash}) for endpoint in BY_HASH}
    for endpoint, answer in answers.items():
        assert answer.status_code == endpoint.while_processing, answer.text
        if endpoint.while_processing == 409:
            assert "still being processed" in answer.json()["message"]
            assert int(answer.headers["retry-after"]) > 0
            assert set(answer.json()) == set(error_body(endpoint, ""))
        passed(endpoint, "processing", 1)
    assert rest.settled(file_hash)["status"] == "ready"


def test_failed(rest: Rest) -> None:
    file_hash = rest.upload(b"this is no recording at all").json()["file_hash"]
    assert rest.settled(file_hash)["status"] == "failed"
    for endpoint in BY_HASH:
        answer = call(rest.http, endpoint, {"file-hash": file_hash})
        assert answer.status_code == endpoint.while_processing, answer.text
        if endpoint.while_processing == 409:
            assert "could not be processed" in answer.json()["message"]
            assert "retry-after" not in answer.headers
        else:
            assert answer.json()["status"] == "failed"
        passed(endpoint, "failed", 1)


def row(number: str, method: str = "") -> Endpoint:
    return next(e for e in CONTRACT if e.row == number and method in ("", e.method))


def test_row_1_login(system: System) -> None:
    endpoint = row("1")
    good = {"email": system.email, "password": system.password}
    answer = httpx.post(f"{system.gateway}{endpoint.path}", json=good)
    assert answer.status_code == 200
    assert mismatch(endpoint.shape, answer.json()) == ""
    assert answer.json()["token"].count(".") == 2
    passed(endpoint, "200", 1)
    for bad in ({**good, "password": "wrong"}, {"email": "nobody@example.org", "password": "wrong"}):
        answer = httpx.post(f"{system.gateway}{endpoint.path}", json=bad)
        assert (answer.status_code, answer.json()) == (400, {"message": "Invalid email or password"})
    for body in (b"{", b"{}", b"[]", b'{"email": 5}', b'{"name": "x"}'):
        answer = httpx.post(
            f"{system.gateway}{endpoint.path}", content=body, headers={"content-type": "application/json"}
        )
        is_error(endpoint, answer, 400, "Bad request")
    passed(endpoint, "400", 7)


def test_row_2_upload(rest: Rest) -> None:
    endpoint = row("2")
    recording = excerpt(3, mark="row 2")
    first, again = rest.upload(recording), rest.upload(recording)
    for answer in (first, again):
        assert answer.status_code == 200
        assert mismatch(endpoint.shape, answer.json()) == ""
    assert first.json()["file_hash"] == again.json()["file_hash"]
    passed(endpoint, "200", 2)
    is_error(endpoint, rest.http.post(endpoint.path), 400, "Bad request")
    is_error(endpoint, rest.upload(b""), 400, "Bad request")
    passed(endpoint, "400", 2)
    assert rest.settled(first.json()["file_hash"])["status"] == "ready"


def test_row_2c_list_pages_through_the_organizations_meetings(rest: Rest, stranger: Rest, meeting: str) -> None:
    endpoint = row("2c", "GET")
    everything = rest.http.get(endpoint.path).json()
    assert mismatch(endpoint.shape, everything) == ""
    assert meeting in [m["file_hash"] for m in everything["meetings"]]
    paged: list[dict[str, Any]] = []
    token = ""
    while True:
        page = rest.http.get(endpoint.path, params={"page_size": "2", "page_token": token}).json()
        assert len(page["meetings"]) <= 2
        paged += page["meetings"]
        if not (token := page["next_page_token"]):
            break
    assert [m["file_hash"] for m in paged] == [m["file_hash"] for m in everything["meetings"]]
    assert [m["created_at"] for m in paged] == sorted((m["created_at"] for m in paged), reverse=True)
    assert stranger.http.get(endpoint.path).json() == {"meetings": [], "next_page_token": ""}
    passed(endpoint, "200", 3)
    for bad in (
        {"page_size": "-1"},
        {"page_size": "1001"},
        {"page_size": "x"},
        {"page_token": "x"},
        {"page_token": "eA=="},
    ):
        is_error(endpoint, rest.http.get(endpoint.path, params=bad), 400, "Bad request")
    passed(endpoint, "400", 5)


def test_row_2c_delete_takes_everything_with_it(rest: Rest, stranger: Rest, system: System) -> None:
    endpoint = row("2c", "DELETE")
    recording = excerpt(6, mark="to be deleted")
    file_hash = rest.analysed(recording)
    for bad in BAD_HASHES.values():
        is_error(endpoint, call(rest.http, endpoint, {"file-hash": bad}), 400, "Bad request")
    is_error(endpoint, call(rest.http, endpoint, {}), 400, "Bad request")
    passed(endpoint, "400", 6)
    for client, wanted in ((rest, UNKNOWN_HASH), (stranger, file_hash)):
        is_error(endpoint, call(client.http, endpoint, {"file-hash": wanted}), 404, "Meeting not found")
    passed(endpoint, "404", 2)
    assert list(system.data.rglob(file_hash))
    answer = call(rest.http, endpoint, {"file-hash": file_hash})
    assert (answer.status_code, answer.json()) == (200, {})
    passed(endpoint, "200", 1)
    assert not list(system.data.rglob(file_hash))
    for gone in BY_HASH:
        assert call(rest.http, gone, {"file-hash": file_hash}).status_code == 404
    assert call(rest.http, endpoint, {"file-hash": file_hash}).status_code == 404
    # The same recording may come again, and is analysed again.
    assert rest.analysed(recording) == file_hash


def test_row_4_rename_shows_everywhere_at_once(rest: Rest, stranger: Rest) -> None:
    endpoint = row("4")
    file_hash = rest.analysed(excerpt(12, mark="rename"))
    before = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    id_ = before[0]["id"]
    path = endpoint.path.replace("{id}", id_)
    for params in ({}, {"file-hash": file_hash}):
        answer = rest.http.put(path, params=params, json={"alias": " Zoë 🎙 "})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"alias": "Zoë 🎙", "id": id_}
        assert mismatch(endpoint.shape, answer.json()) == ""
    passed(endpoint, "200", 2)
    after = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    assert after == [{"alias": "Zoë 🎙", "id": id_}, *before[1:]]
    details = rest.get("/single-feature-api/meeting/details-by-topics", file_hash=file_hash).json()["topics"]
    assert {s["alias"] for d in details for s in d["speakers"] if s["id"] == id_} == {"Zoë 🎙"}
    quality = rest.get("/single-feature-api/meeting/speakers-audio-quality", file_hash=file_hash).json()["speakers"]
    assert [s["alias"] for s in quality if s["id"] == id_] == ["Zoë 🎙"]
    for bad in (
        {"alias": ""},
        {"alias": "  "},
        {"alias": "x" * 201},
        {"alias": "a\nb"},
        {"alias": 5},
        {},
        {"name": "x"},
    ):
        is_error(endpoint, rest.http.put(path, json=bad), 400, "Bad request")
    is_error(endpoint, rest.http.put("/api/meeting/speakers/none", json={"alias": "x"}), 400, "Bad request")
    passed(endpoint, "400", 8)
    named = {"alias": "x"}
    other = rest.http.put(path, params={"file-hash": UNKNOWN_HASH}, json=named)
    for answer in (call(rest.http, endpoint, {}), stranger.http.put(path, json=named), other):
        assert (answer.status_code, answer.json()) == (404, error_body(endpoint, "Speaker not found"))
    passed(endpoint, "404", 3)


def test_every_cell_of_the_table_passed(record_property: Callable[[str, object], None]) -> None:
    record_property(TABLE, lines())
    assert missing() == []
