"""Corrections and their undo through REST: what depends on who spoke and what was said follows, the rest stays."""

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


def sentences(rest: Rest, file_hash: str) -> list[dict[str, Any]]:
    asked = {"file-hash": file_hash, "include_details": "true"}
    body = rest.http.get(f"{M}/transcription", params=asked).json()
    found: list[dict[str, Any]] = body["details"]["sentences"]
    return found


def test_words_and_speakers_of_sentences_are_corrected_everywhere(rest: Rest, talk: str) -> None:
    before, listed = everything(rest, talk), sentences(rest, talk)
    assert [one["number"] for one in listed] == list(range(1, len(listed) + 1))
    first, second = [speaker["id"] for speaker in speakers(rest, talk)][:2]
    chosen = next(one for one in listed if one["speaker"] == first)
    place = f"{M}/sentences/{chosen['number']}"
    typed = "Do we all love the zebra proposal?"
    answer = rest.http.put(
        f"{place}/text", params={"file-hash": talk}, json={"text": typed, "replaces": chosen["text"]}
    )
    assert answer.status_code == 200, answer.text
    kept = {name: chosen[name] for name in ("number", "speaker", "start_ms", "end_ms")}
    assert answer.json()["sentence"] == {**kept, "text": typed, "original_text": chosen["text"]}
    asked = rest.get(f"{M}/questions", file_hash=talk).json()["questions"]
    assert {"question": typed, "speaker": first} in [{k: q[k] for k in ("question", "speaker")} for q in asked]
    assert typed in rest.get(f"{M}/transcription", file_hash=talk).text
    assert chosen["text"] not in rest.get(f"{M}/transcription", file_hash=talk).text
    for path in ("/speakers-balance", f"{M}/speakers-audio-quality", f"{M}/meeting-interactions"):
        assert rest.get(path, file_hash=talk).json() == before[path]
    moved = rest.http.put(f"{place}/speaker", params={"file-hash": talk}, json={"speaker": second})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["sentence"]["speaker"], moved.json()["sentence"]["original_speaker"]) == (second, first)
    assert sentences(rest, talk)[chosen["number"] - 1] == moved.json()["sentence"]
    export = {"file-hash": talk, "format": "srt"}
    assert "zebra" in rest.http.get(f"{M}/export", params=export).text
    exported = rest.http.get(f"{M}/export", params={**export, "format": "json"}).json()
    assert exported["answers"]["transcription"]["details"]["sentences"] == sentences(rest, talk)
    stale = rest.http.put(f"{place}/text", params={"file-hash": talk}, json={"text": "x", "replaces": chosen["text"]})
    assert (stale.status_code, stale.headers["x-meetra-reason"]) == (409, "SENTENCE_CHANGED")
    page = rest.http.get(f"{M}/corrections", params={"file-hash": talk, "page_size": "2"}).json()
    history = page["corrections"]
    assert [one["kind"] for one in history] == ["CORRECTION_KIND_MOVE", "CORRECTION_KIND_WORDS"]
    assert (history[1]["former_text"], history[1]["text"]) == (chosen["text"], typed)
    undo = f"{SPEAKERS}/undo"
    wrong = rest.http.post(undo, params={"file-hash": talk, "number": history[1]["number"]})
    assert (wrong.status_code, wrong.headers["x-meetra-reason"]) == (409, "CORRECTION_NOT_LATEST")
    corrected, redo = sentences(rest, talk), f"{M}/corrections/redo"
    assert rest.http.post(undo, params={"file-hash": talk}).status_code == 200
    again = rest.http.post(redo, params={"file-hash": talk, "number": history[0]["number"]})
    assert (again.status_code, sentences(rest, talk)) == (200, corrected), again.text
    nothing = rest.http.post(redo, params={"file-hash": talk, "number": history[0]["number"]})
    assert (nothing.status_code, nothing.headers["x-meetra-reason"]) == (409, "CORRECTION_NOT_NEXT")
    for one in history:
        answer = rest.http.post(undo, params={"file-hash": talk, "number": one["number"]})
        assert answer.status_code == 200, answer.text
    assert everything(rest, talk) == before
    assert sentences(rest, talk) == listed


def test_what_cannot_be_corrected_is_refused(rest: Rest, stranger: Rest, talk: str) -> None:
    place, query = f"{M}/sentences/1", {"file-hash": talk}
    for path, body in (
        (f"{place}/text", {}),
        (f"{place}/text", {"text": " "}),
        (f"{place}/text", {"text": "", "remove": False}),
        (f"{place}/text", {"text": "x", "remove": True}),
        (f"{place}/text", {"text": "x" * 4001}),
        (f"{place}/text", {"text": 5}),
        (f"{place}/text", {"txt": "x"}),
        (f"{place}/speaker", {}),
        (f"{place}/speaker", {"speaker": "nobody"}),
        (f"{M}/sentences/one/text", {"text": "x"}),
        (f"{M}/sentences/99999999999/text", {"text": "x"}),
    ):
        answer = rest.http.put(path, params=query, json=body)
        assert (answer.status_code, set(answer.json())) == (400, {"message"}), (path, body, answer.text)
        assert answer.json()["message"].startswith("Bad request"), answer.text
    assert rest.http.put(f"{place}/text", json={"text": "x"}).status_code == 400
    for number in ("0", "-1", "9999"):
        answer = rest.http.put(f"{M}/sentences/{number}/text", params=query, json={"text": "x"})
        assert (answer.status_code, answer.headers["x-meetra-reason"]) == (404, "SENTENCE_NOT_FOUND")
    nobody = rest.http.put(f"{place}/speaker", params=query, json={"speaker": str(uuid4())})
    assert nobody.status_code == 404
    assert stranger.http.put(f"{place}/text", params=query, json={"text": "x"}).status_code == 404
    assert stranger.http.put(f"{place}/speaker", params=query, json={"new_speaker": True}).status_code == 404
    assert stranger.http.get(f"{M}/corrections", params=query).status_code == 404


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
