"""Every REST row that is answered, through real Envoy: the documented bodies and statuses."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

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


def test_speakers_have_an_alias_and_a_uuid(rest: Rest, meeting: str) -> None:
    body = rest.get("/api/meeting/speakers", file_hash=meeting).json()
    assert set(body) == {"speakers"}
    assert len(body["speakers"]) >= 2
    for speaker in body["speakers"]:
        assert set(speaker) == {"alias", "id"}
        UUID(speaker["id"])


def test_speakers_without_a_hash_are_the_callers_latest_meeting(rest: Rest, system: System, meeting: str) -> None:
    newest = rest.analysed(excerpt(12, mark="latest"))
    latest = rest.get("/api/meeting/speakers").json()
    assert latest == rest.get("/api/meeting/speakers", file_hash=newest).json()
    password = system.add_user("newcomer@example.org", "--organization", "Newcomers")
    nothing = system.login("newcomer@example.org", password).get("/api/meeting/speakers")
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
    # Processors differ in the last bits of a sum, and so may the way an amount is written.
    assert re.search(r"\b20,?000\b|twenty thousand", text)


def test_details_come_when_asked_for(rest: Rest, meeting: str) -> None:
    path = "/single-feature-api/meeting/meeting-interaction_score"
    details = rest.http.get(path, params={"file-hash": meeting, "include_details": "true"}).json()["details"]
    names = [component["name"] for component in details["components"]]
    assert names == ["turn_taking", "switch_rate", "participation", "evenness"]
    assert details["support"]["definition_version"] == "1"
    path = "/single-feature-api/meeting/transcription"
    details = rest.http.get(path, params={"file-hash": meeting, "include_details": "true"}).json()["details"]
    assert details["reliable"] is True
    assert details["engine"]["overlap"] is True


def test_status_of_a_finished_meeting(rest: Rest, meeting: str) -> None:
    body = rest.get("/single-feature-api/meeting/status", file_hash=meeting).json()
    assert body.pop("language") == "en"
    assert 0.9 < body.pop("language_confidence") <= 1
    assert datetime.fromisoformat(body.pop("created_at")).tzinfo is not None
    assert body == {
        "file_hash": meeting,
        "status": "ready",
        "progress_percent": 100,
        "stage": "done",
        "message": "Ready",
        "speech_found": True,
        "name": "meeting.wav",
        "date": "",
        "duration_ms": 45_000,
    }


def test_revoked_tokens_are_401(system: System) -> None:
    password = system.add_user("leaver@example.org")
    leaver = system.login("leaver@example.org", password)
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


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/single-feature-api/meeting"])
def test_an_unknown_path_is_404(rest: Rest, path: str) -> None:
    answer = rest.get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


def test_nothing_of_grpc_shows_in_rest_answers(rest: Rest, meeting: str) -> None:
    for file_hash in (meeting, UNKNOWN_HASH):
        headers = rest.get("/speakers-balance", file_hash=file_hash).headers
        assert headers["content-type"].startswith("application/json")
        assert not [name for name in headers if name.startswith(("grpc", "x-http", "x-envoy", "server"))]
