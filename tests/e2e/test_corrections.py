"""Merge, split and undo through REST: what depends on who spoke follows, the rest stays."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import Rest
from tests.e2e.contract import CONTRACT
from tests.recordings import excerpt

M = "/single-feature-api/meeting"
SPEAKERS = "/api/meeting/speakers"
# These say nothing of who spoke.
UNTOUCHED = (f"{M}/topics", f"{M}/meeting-sentiment", f"{M}/meeting-emotions", f"{M}/status")
READABLE = [e.path for e in CONTRACT if e.by_hash]


@pytest.fixture(scope="module")
def talk(rest: Rest) -> str:
    return rest.analysed(excerpt(50, mark="corrections"))


def everything(rest: Rest, file_hash: str) -> dict[str, Any]:
    return {path: rest.get(path, file_hash=file_hash).json() for path in READABLE}


def speakers(rest: Rest, file_hash: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = rest.get(SPEAKERS, file_hash=file_hash).json()["speakers"]
    return found


def share(rest: Rest, file_hash: str) -> dict[str, float]:
    body = rest.get("/speakers-balance", file_hash=file_hash).json()
    return {s["id"]: s["meeting_speaking_percentage"] for s in body["speakers"]}


def test_a_merge_moves_everything_and_undo_brings_it_back(rest: Rest, talk: str) -> None:
    before, shares = everything(rest, talk), share(rest, talk)
    first, second, *others = [speaker["id"] for speaker in speakers(rest, talk)]
    answer = rest.http.post(f"{SPEAKERS}/{second}/merge", json={"into": first})
    assert answer.status_code == 200, answer.text
    assert [s["id"] for s in answer.json()["speakers"]] == [first, *others]
    merged = share(rest, talk)
    assert merged[first] == pytest.approx(shares[first] + shares[second], abs=0.5)
    for path in READABLE:
        text = rest.get(path, file_hash=talk).text
        assert second not in text, path
    for path in UNTOUCHED:
        assert rest.get(path, file_hash=talk).json() == before[path]
    # The id that vanished names nobody now.
    assert rest.http.put(f"{SPEAKERS}/{second}", json={"alias": "x"}).status_code == 404
    undone = rest.http.post(f"{SPEAKERS}/undo", params={"file-hash": talk})
    assert undone.status_code == 200, undone.text
    assert everything(rest, talk) == before


def test_a_split_makes_a_new_speaker_and_undo_takes_it_back(rest: Rest, talk: str) -> None:
    before = everything(rest, talk)
    first = speakers(rest, talk)[0]["id"]
    answer = rest.http.post(f"{SPEAKERS}/{first}/split", json={"start": 0, "end": 6000})
    assert answer.status_code == 200, answer.text
    new = answer.json()["new_id"]
    assert new in [s["id"] for s in answer.json()["speakers"]]
    first_words = rest.get(f"{M}/transcription", file_hash=talk).json()["Transcription"][0]
    assert first_words["speaker"] == new
    assert share(rest, talk)[new] > 0
    # Edits stack: the latest is undone first.
    assert rest.http.post(f"{SPEAKERS}/{new}/merge", json={"into": first}).status_code == 200
    for _ in range(2):
        assert rest.http.post(f"{SPEAKERS}/undo", params={"file-hash": talk}).status_code == 200
    assert everything(rest, talk) == before
    nothing = rest.http.post(f"{SPEAKERS}/undo", params={"file-hash": talk})
    assert (nothing.status_code, set(nothing.json())) == (400, {"error", "message"})


def test_a_name_given_by_hand_outlives_merge_and_undo(rest: Rest, talk: str) -> None:
    first, second = [speaker["id"] for speaker in speakers(rest, talk)][:2]
    assert rest.http.put(f"{SPEAKERS}/{second}", json={"alias": "Maria"}).status_code == 200
    rest.http.post(f"{SPEAKERS}/{second}/merge", json={"into": first})
    rest.http.post(f"{SPEAKERS}/undo", params={"file-hash": talk})
    assert {"alias": "Maria", "id": second} in speakers(rest, talk)


def test_what_cannot_be_merged_or_split_is_refused(rest: Rest, stranger: Rest, talk: str, meeting: str) -> None:
    first, second = [speaker["id"] for speaker in speakers(rest, talk)][:2]
    elsewhere = speakers(rest, meeting)[0]["id"]
    merge, split = f"{SPEAKERS}/{first}/merge", f"{SPEAKERS}/{first}/split"
    for path, body in (
        (merge, {"into": first}),
        (merge, {"into": elsewhere}),
        (merge, {"into": "nobody"}),
        (merge, {}),
        (split, {"start": 0, "end": 10_000_000}),
        (split, {"start": 0, "end": 1}),
        (split, {"start": 5, "end": 5}),
        (split, {"start": -1, "end": 5}),
    ):
        answer = rest.http.post(path, json=body)
        assert answer.status_code == 400, (path, body, answer.text)
        assert answer.json()["message"].startswith("Bad request: ")
    assert rest.http.post(merge, json={"into": str(uuid4())}).status_code == 404
    assert stranger.http.post(merge, json={"into": second}).status_code == 404
    assert stranger.http.post(split, json={"start": 0, "end": 6000}).status_code == 404
    assert stranger.http.post(f"{SPEAKERS}/undo", params={"file-hash": talk}).status_code == 404


def test_speakers_are_named_from_what_they_say(rest: Rest, meeting: str) -> None:
    body = rest.http.get(SPEAKERS, params={"file-hash": meeting, "include_details": "true"}).json()["speakers"]
    assert body[0]["alias"] == "Daniel"
    assert body[0]["alias_source"] == "ALIAS_SOURCE_SPOKEN"
    assert 0.6 <= body[0]["alias_confidence"] <= 1
    assert body[1]["alias_source"] == "ALIAS_SOURCE_NUMBER"
    assert "alias_confidence" not in body[1]
