"""Lists of meetings, a deletion that waits, usage and models, as a page gets them."""

from __future__ import annotations

from tests.e2e.conftest import Rest
from tests.recordings import excerpt

MEETING = "/single-feature-api/meeting"
LIST = "/single-feature-api/meetings"


def test_meetings_are_found_by_name_and_person_and_listed_in_order(rest: Rest) -> None:
    first = rest.analysed(excerpt(20, mark="list, first"), name="Übersicht Alpha", date="2019-05-02")
    second = rest.analysed(excerpt(5, mark="list, second"), name="übersicht beta", date="2019-W20")
    ours = {"search": "ÜBERSICHT", "from": "2019-01-01", "to": "2020-01-01", "status": "ready,failed"}
    for sort, order in (("date", [first, second]), ("-name", [second, first]), ("-created_at", [second, first])):
        page = rest.http.get(LIST, params={**ours, "sort": sort, "page_size": 1}).json()
        rest_of_it = rest.http.get(LIST, params={**ours, "sort": sort, "page_token": page["next_page_token"]}).json()
        found = [meeting["file_hash"] for meeting in (*page["meetings"], *rest_of_it["meetings"])]
        assert (found, rest_of_it["next_page_token"]) == (order, "")
    speaker = rest.get("/api/meeting/speakers", file_hash=first).json()["speakers"][0]
    renamed = rest.http.put(f"/api/meeting/speakers/{speaker['id']}", json={"alias": "Frau Ångström"})
    assert renamed.status_code == 200
    (meeting,) = rest.http.get(LIST, params={"person": "ångström"}).json()["meetings"]
    assert (meeting["file_hash"], meeting["people"][0]) == (first, "Frau Ångström")
    assert (meeting["progress_percent"], meeting["stage"]) == (100, "done")
    for bad in ({"sort": "size"}, {"status": "done"}, {"from": "x"}, {"search": "x" * 201}, {"person": "a\0"}):
        assert rest.http.get(LIST, params=bad).status_code == 400, bad


def test_a_deletion_waits_and_is_called_off(rest: Rest) -> None:
    file_hash = rest.upload(excerpt(5, mark="undone")).json()["file_hash"]
    query = {"file-hash": file_hash}
    waiting = rest.http.delete(MEETING, params={**query, "undo_seconds": 3600})
    assert (waiting.status_code, list(waiting.json())) == (200, ["delete_at"])
    assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 200
    restored = rest.http.post(f"{MEETING}/restore", params=query)
    assert (restored.status_code, restored.json()) == (200, {})
    assert "delete_at" not in rest.http.get(LIST, params={"page_size": 1}).json()["meetings"][0]
    assert rest.http.delete(MEETING, params={**query, "undo_seconds": 3601}).status_code == 400
    assert rest.http.delete(MEETING, params=query).json() == {}
    assert rest.http.post(f"{MEETING}/restore", params=query).status_code == 404
    assert rest.http.post(f"{MEETING}/restore").status_code == 400


def test_usage_has_the_audio_of_the_month(rest: Rest) -> None:
    rest.analysed(excerpt(20, mark="used"))
    answer = rest.http.get("/api/organization/usage", params={"months": 1}).json()
    (month,) = answer["months"]
    assert month["analyses"] >= 1
    assert month["audio_minutes"] >= 0.33
    assert {used["month"] for used in answer["usage"]} == {month["month"]}
    assert sum(used["analyses"] for used in answer["usage"]) == month["analyses"]
    assert rest.http.get("/api/organization/usage", params={"months": 121}).status_code == 400


def test_the_models_in_use_are_named_with_their_licences(rest: Rest) -> None:
    models = rest.http.get("/api/models").json()["models"]
    by_task = {model["task"]: model for model in models}
    assert {"voice activity", "speaker vectors", "speech recognition", "sentiment", "emotions"} <= set(by_task)
    for model in models:
        assert model["licence"], model
        assert model["commercial_use"] is True, model
