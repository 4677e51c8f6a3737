"""Search through REST, the command line and the Python client: found as soon as it is ready, gone with its meeting."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meetra_client.sync import MeetraClient
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

SEARCH = "/api/search"


@pytest.fixture(scope="module")
def talk(rest: Rest) -> str:
    """A meeting of these tests alone."""
    return rest.analysed(excerpt(50, mark="search"), name="Budget talk", date="2026-03-02")


def search(rest: Rest, query: str, **filters: str) -> list[dict[str, Any]]:
    """What a search returns."""
    answer = rest.http.get(SEARCH, params={"query": query, **filters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def a_sentence(rest: Rest, file_hash: str) -> dict[str, str]:
    """The longest statement of a meeting."""
    entries = rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash).json()["Transcription"]
    longest: dict[str, str] = max(entries, key=lambda entry: len(entry["transcription"]))
    return longest


def test_what_was_said_is_found_with_its_place_and_reason(rest: Rest, talk: str) -> None:
    said = a_sentence(rest, talk)
    best, *_ = search(rest, said["transcription"][:200], **{"file-hash": talk})
    assert (best["file_hash"], best["meeting"], best["date"]) == (talk, "Budget talk", "2026-03-02")
    assert best["text"] in said["transcription"]
    assert best["speaker_id"] == said["speaker"]
    assert 0 <= best["start_ms"] < best["end_ms"] <= 50_000
    assert best["matched_words"]
    assert best["similarity"] > 0.3
    assert 0 < best["relevance"] <= 1


def test_meaning_alone_finds_it_too_and_words_alone(rest: Rest, talk: str) -> None:
    text = search(rest, a_sentence(rest, talk)["transcription"][:200], **{"file-hash": talk})[0]["text"]
    assert search(rest, text, by="meaning", **{"file-hash": talk})[0]["text"] == text
    by_words = search(rest, text, by="words", **{"file-hash": talk})
    assert by_words[0]["text"] == text
    assert "similarity" not in by_words[0]


def test_filters_leave_out_what_does_not_fit(rest: Rest, talk: str) -> None:
    text = search(rest, a_sentence(rest, talk)["transcription"][:200], **{"file-hash": talk})[0]["text"]
    assert {one["file_hash"] for one in search(rest, text, date_from="2026-03-02", date_to="2026-03-02")} == {talk}
    assert talk not in {one["file_hash"] for one in search(rest, text, date_to="2026-03-01")}
    assert search(rest, text, speaker="nobody of this name") == []
    assert search(rest, text, language="de") == []


def test_a_name_is_searched_as_soon_as_it_is_given(rest: Rest, talk: str) -> None:
    found = search(rest, a_sentence(rest, talk)["transcription"][:200], **{"file-hash": talk})[0]
    renamed = rest.http.put(f"/api/meeting/speakers/{found['speaker_id']}", json={"alias": "Šárka Nováková"})
    assert renamed.status_code == 200
    again = search(rest, found["text"], speaker="ŠÁRKA")
    assert {one["speaker"] for one in again} == {"Šárka Nováková"}


def test_the_command_line_and_the_python_client_find_the_same(system: System, rest: Rest, talk: str) -> None:
    text = search(rest, a_sentence(rest, talk)["transcription"][:200], **{"file-hash": talk})[0]["text"]
    by_rest = rest.http.get(SEARCH, params={"query": text, "file-hash": talk}).json()
    said = system.meetra("search", text, "--meeting", talk, "--json")
    assert (said.returncode, json.loads(said.stdout)) == (0, by_rest), said.stderr
    shown = system.meetra("search", text, "--meeting", talk).stdout
    assert "Budget talk, 2026-03-02" in shown
    assert text in shown
    assert system.meetra("search", "xyzzyplugh", "--by", "words").returncode == 1
    refused = system.meetra("search", "x", "--from", "yesterday")
    assert (refused.returncode, "date_from" in refused.stderr) == (1, True)
    with MeetraClient(system.gateway, email=system.email, password=system.password) as client:
        answer = client.search(text, file_hash=talk)
    assert [one.text for one in answer.results] == [one["text"] for one in by_rest["results"]]


def test_another_organization_finds_nothing(system: System, rest: Rest, talk: str) -> None:
    # Which has no meetings of its own.
    password = system.add_user("finds@example.org", "--organization", "Finds nothing")
    stranger = system.login("finds@example.org", password)
    text = a_sentence(rest, talk)["transcription"][:200]
    assert search(stranger, text) == []
    assert search(stranger, text, **{"file-hash": talk}) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param({}, "query", id="no query"),
        pytest.param({"query": "x", "by": "sound"}, "by", id="unknown way"),
        pytest.param({"query": "x", "limit": "101"}, "limit", id="high limit"),
        pytest.param({"query": "x", "date_from": "2026-13-01"}, "date_from", id="no day"),
    ],
)
def test_a_wrong_parameter_is_named(rest: Rest, query: dict[str, str], field: str) -> None:
    answer = rest.http.get(SEARCH, params=query)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Bad request: {field}")
    assert answer.headers["x-meetra-reason"] == "BAD_REQUEST"


def test_what_was_redacted_is_not_in_the_index(rest: Rest) -> None:
    open_hash = rest.analysed(excerpt(40, mark="search open"))
    hidden = rest.analysed(excerpt(40, mark="search redacted"), redact="name")
    speakers = rest.get("/api/meeting/speakers", file_hash=open_hash).json()["speakers"]
    names = [one["alias"].split()[0] for one in speakers if not one["alias"].startswith("Speaker")]
    assert names, "the sample's speakers introduce themselves"
    found = {name: {one["file_hash"] for one in search(rest, f'"{name}"', by="words")} for name in names}
    assert any(open_hash in hashes for hashes in found.values())
    assert not any(hidden in hashes for hashes in found.values())


def test_a_deleted_meeting_is_found_no_more(rest: Rest) -> None:
    doomed = rest.analysed(excerpt(30, mark="search doomed"))
    text = a_sentence(rest, doomed)["transcription"][:200]
    assert search(rest, text, **{"file-hash": doomed})
    assert rest.http.delete("/single-feature-api/meeting", params={"file-hash": doomed}).status_code == 200
    assert search(rest, text, **{"file-hash": doomed}) == []
