"""Every REST row that is answered, through real Envoy: the documented bodies and statuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

UNKNOWN_HASH = "0" * 64
BY_HASH = [
    "/single-feature-api/meeting/status",
    "/api/meeting/speakers",
    "/single-feature-api/meeting/balance-score",
    "/single-feature-api/meeting/transcription",
    "/single-feature-api/meeting/meeting-interaction_score",
    "/single-feature-api/meeting/meeting-interactions",
    "/speakers-balance",
]
INSIGHTS = BY_HASH[1:]


def body_of_error(path: str, message: str) -> dict[str, str]:
    return {"error": message, "message": message} if path == "/api/meeting/speakers" else {"message": message}


def test_login_answers_a_token_and_nothing_else(system: System) -> None:
    answer = httpx.post(f"{system.gateway}/api-login", json={"email": system.email, "password": system.password})
    assert answer.status_code == 200
    assert set(answer.json()) == {"token"}
    assert answer.json()["token"].count(".") == 2


@pytest.mark.parametrize(("email", "password"), [("demo@meetra.local", "wrong"), ("nobody@example.org", "wrong")])
def test_wrong_credentials_are_400(system: System, email: str, password: str) -> None:
    answer = httpx.post(f"{system.gateway}/api-login", json={"email": email, "password": password})
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid email or password"})


def test_speakers_have_an_alias_and_a_uuid(rest: Rest, meeting: str) -> None:
    body = rest.get("/api/meeting/speakers", file_hash=meeting).json()
    assert set(body) == {"speakers"}
    assert len(body["speakers"]) >= 2
    for speaker in body["speakers"]:
        assert set(speaker) == {"alias", "id"}
        UUID(speaker["id"])


def test_speakers_without_a_hash_are_the_callers_latest_meeting(rest: Rest, stranger: Rest, meeting: str) -> None:
    newest = rest.analysed(excerpt(12, mark="latest"))
    latest = rest.get("/api/meeting/speakers").json()
    assert latest == rest.get("/api/meeting/speakers", file_hash=newest).json()
    nothing = stranger.get("/api/meeting/speakers")
    assert (nothing.status_code, nothing.json()) == (404, body_of_error("/api/meeting/speakers", "Meeting not found"))


def test_scores_are_numbers_in_range(rest: Rest, meeting: str) -> None:
    balance = rest.get("/single-feature-api/meeting/balance-score", file_hash=meeting).json()
    interaction = rest.get("/single-feature-api/meeting/meeting-interaction_score", file_hash=meeting).json()
    assert set(balance) == {"balance_score"}
    assert set(interaction) == {"meeting_interaction_score"}
    assert 0 < balance["balance_score"] <= 100
    assert 0 < interaction["meeting_interaction_score"] <= 100


def test_shares_sum_to_100(rest: Rest, meeting: str) -> None:
    body = rest.get("/speakers-balance", file_hash=meeting).json()
    speakers = rest.get("/api/meeting/speakers", file_hash=meeting).json()["speakers"]
    assert [share["id"] for share in body["speakers"]] == [speaker["id"] for speaker in speakers]
    assert all(set(share) == {"meeting_speaking_percentage", "id"} for share in body["speakers"])
    assert sum(share["meeting_speaking_percentage"] for share in body["speakers"]) == pytest.approx(100, abs=1e-6)


def test_interactions_list_every_pair_and_the_strongest_is_100(rest: Rest, meeting: str) -> None:
    nodes = rest.get("/single-feature-api/meeting/meeting-interactions", file_hash=meeting).json()["nodes"]
    n = len(rest.get("/api/meeting/speakers", file_hash=meeting).json()["speakers"])
    assert all(set(node) == {"between", "value"} for node in nodes)
    assert len({frozenset(node["between"]) for node in nodes}) == len(nodes) == n * (n - 1) // 2
    assert max(node["value"] for node in nodes) == 100
    assert all(isinstance(node["value"], int) for node in nodes)


def test_transcript_holds_the_words_that_were_said(rest: Rest, meeting: str) -> None:
    body = rest.get("/single-feature-api/meeting/transcription", file_hash=meeting).json()
    assert set(body) == {"Transcription"}
    for entry in body["Transcription"]:
        assert set(entry) == {"speaker", "transcription", "start_timestamp"}
        assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", entry["start_timestamp"])
    text = " ".join(entry["transcription"] for entry in body["Transcription"])
    assert "budget" in text
    assert "twenty thousand dollars" in text


def test_details_come_when_asked_for(rest: Rest, meeting: str) -> None:
    path = "/single-feature-api/meeting/meeting-interaction_score"
    details = rest.http.get(path, params={"file-hash": meeting, "include_details": "true"}).json()["details"]
    names = [component["name"] for component in details["components"]]
    assert names == ["turn_taking", "switch_rate", "participation", "evenness"]
    assert details["support"]["definition_version"] == "1"
    path = "/single-feature-api/meeting/transcription"
    details = rest.http.get(path, params={"file-hash": meeting, "include_details": "true"}).json()["details"]
    assert details["reliable"] is True
    assert details["engine"]["overlap"] is False


def test_status_of_a_finished_meeting(rest: Rest, meeting: str) -> None:
    body = rest.get("/single-feature-api/meeting/status", file_hash=meeting).json()
    assert body == {
        "file_hash": meeting,
        "status": "ready",
        "progress_percent": 100,
        "stage": "done",
        "message": "Ready",
    }


@pytest.mark.parametrize("path", BY_HASH)
def test_a_hash_in_capitals_is_the_same_hash(rest: Rest, meeting: str, path: str) -> None:
    assert rest.get(path, file_hash=meeting.upper()).status_code == 200


@pytest.mark.parametrize("path", BY_HASH)
@pytest.mark.parametrize("bad", ["", "abc", "g" * 64, "0" * 63, "0" * 65])
def test_a_malformed_hash_is_400(rest: Rest, path: str, bad: str) -> None:
    answer = rest.get(path, file_hash=bad)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Bad request: file-hash: ")
    assert set(answer.json()) == set(body_of_error(path, ""))


@pytest.mark.parametrize("path", [path for path in BY_HASH if path != "/api/meeting/speakers"])
def test_a_missing_hash_is_400(rest: Rest, path: str) -> None:
    assert rest.get(path).status_code == 400


@pytest.mark.parametrize("path", BY_HASH)
def test_unknown_and_foreign_meetings_are_404(rest: Rest, stranger: Rest, meeting: str, path: str) -> None:
    for client, file_hash in ((rest, UNKNOWN_HASH), (stranger, meeting)):
        answer = client.get(path, file_hash=file_hash)
        assert (answer.status_code, answer.json()) == (404, body_of_error(path, "Meeting not found"))


def forged(claims: dict[str, Any], key: str = "k" * 40, algorithm: str = "HS256") -> str:
    now = datetime.now(UTC)
    standard = {"iat": now, "exp": now + timedelta(hours=1), "iss": "meetra", "aud": "meetra-api"}
    return jwt.encode({**standard, "sub": str(UUID(int=1)), "org": str(UUID(int=2)), **claims}, key, algorithm)


BAD_AUTHORIZATION = {
    "missing": None,
    "empty": "",
    "no scheme": "abc",
    "not a token": "Bearer abc",
    "wrong key": f"Bearer {forged({})}",
    "alg none": f"Bearer {forged({}, key='', algorithm='none')}",
    "basic": "Basic YTpi",
}


@pytest.mark.parametrize("path", BY_HASH)
@pytest.mark.parametrize("kind", BAD_AUTHORIZATION)
def test_without_a_valid_token_everything_is_401(system: System, meeting: str, path: str, kind: str) -> None:
    value = BAD_AUTHORIZATION[kind]
    headers = {} if value is None else {"Authorization": value}
    answer = httpx.get(f"{system.gateway}{path}", params={"file-hash": meeting}, headers=headers)
    assert (answer.status_code, answer.json()) == (401, body_of_error(path, "Unauthorized"))


def test_expired_and_altered_tokens_are_401(system: System, rest: Rest, meeting: str) -> None:
    secret = (system.data / "secrets" / "jwt-secret").read_text().strip()
    claims = jwt.decode(rest.token, options={"verify_signature": False})
    expired = jwt.encode({**claims, "exp": 1}, secret, "HS256")
    other_audience = jwt.encode({**claims, "aud": "elsewhere"}, secret, "HS256")
    for token in (expired, other_audience, rest.token[:-4]):
        answer = Rest(system.gateway, token).get("/speakers-balance", file_hash=meeting)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_revoked_tokens_are_401(system: System) -> None:
    said = system.meetra("users", "add", "leaver@example.org")
    leaver = system.login("leaver@example.org", said.stdout.split("password ")[1].split()[0])
    assert system.meetra("users", "revoke", "leaver@example.org").returncode == 0
    # No call was made with the token before, so nothing remembers the user.
    assert leaver.get("/api/meeting/speakers").status_code == 401


@pytest.mark.parametrize("path", BY_HASH)
def test_an_unknown_parameter_is_400_and_names_it(rest: Rest, meeting: str, path: str) -> None:
    answer = rest.http.get(path, params={"file-hash": meeting, "colour": "blue"})
    assert answer.status_code == 400
    assert "colour" in answer.json()["message"]
    assert "meetra.v1" not in answer.text
    assert set(answer.json()) == set(body_of_error(path, ""))


@pytest.mark.parametrize("path", ["/", "/nowhere", "/single-feature-api/meeting"])
def test_an_unknown_path_is_404(rest: Rest, path: str) -> None:
    answer = rest.get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


def test_nothing_of_grpc_shows_in_rest_answers(rest: Rest, meeting: str) -> None:
    for file_hash in (meeting, UNKNOWN_HASH):
        headers = rest.get("/speakers-balance", file_hash=file_hash).headers
        assert headers["content-type"].startswith("application/json")
        assert not [name for name in headers if name.startswith(("grpc", "x-http", "x-envoy", "server"))]


def test_insights_of_a_meeting_in_the_making_are_409_with_retry_after(rest: Rest) -> None:
    file_hash = rest.upload(excerpt(60, mark="in the making")).json()["file_hash"]
    for path in INSIGHTS:
        answer = rest.get(path, file_hash=file_hash)
        assert answer.status_code == 409
        assert "still being processed" in answer.json()["message"]
        assert int(answer.headers["retry-after"]) > 0
    assert rest.settled(file_hash)["status"] == "ready"


def test_insights_of_a_failed_meeting_are_409_with_the_reason(rest: Rest) -> None:
    file_hash = rest.upload(b"this is no recording at all").json()["file_hash"]
    assert rest.settled(file_hash)["status"] == "failed"
    for path in INSIGHTS:
        answer = rest.get(path, file_hash=file_hash)
        assert answer.status_code == 409
        assert "could not be processed" in answer.json()["message"]
        assert "retry-after" not in answer.headers
