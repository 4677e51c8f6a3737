"""Processes die in the middle of an analysis: the meeting becomes ready by itself, once, with the same result."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Rest, System, start_system
from tests.recordings import excerpt

ANSWERS = [
    "/single-feature-api/meeting/balance-score",
    "/single-feature-api/meeting/meeting-interaction_score",
    "/single-feature-api/meeting/meeting-interactions",
    "/single-feature-api/meeting/transcription",
    "/speakers-balance",
]


def everything(rest: Rest, file_hash: str) -> list[Any]:
    """All answers, with each speaker's UUID replaced by its alias: ids differ between meetings."""
    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    texts = [rest.get(path, file_hash=file_hash).text for path in ANSWERS]
    for speaker in speakers:
        texts = [text.replace(speaker["id"], speaker["alias"]) for text in texts]
    return texts


def in_the_middle(rest: Rest, file_hash: str) -> None:
    """Returns while the models work on the meeting."""
    while True:
        state = rest.get("/single-feature-api/meeting/status", file_hash=file_hash).json()
        assert state["status"] in ("queued", "processing"), state
        if state["stage"] == "analysing":
            return
        time.sleep(0.05)


@pytest.mark.parametrize("victim", ["worker", "inference", "postgres"])
def test_a_killed_process_costs_time_and_nothing_else(system: System, rest: Rest, meeting: str, victim: str) -> None:
    file_hash = rest.upload(excerpt(45, mark=f"survives {victim}")).json()["file_hash"]
    in_the_middle(rest, file_hash)
    system.kill(victim)
    assert rest.settled(file_hash)["status"] == "ready"
    assert everything(rest, file_hash) == everything(rest, meeting)


def test_a_recording_that_crashes_its_analysis_three_times_is_given_up_and_can_be_tried_anew(
    system: System, rest: Rest
) -> None:
    recording = excerpt(60, mark="three crashes")
    file_hash = rest.upload(recording).json()["file_hash"]
    for _ in range(3):
        in_the_middle(rest, file_hash)
        system.kill("inference")
        time.sleep(0.5)
    state = rest.settled(file_hash)
    assert state["status"] == "failed"
    assert "crashed 3 times" in state["message"]
    assert rest.upload(recording).json() == {"file_hash": file_hash, "status": "queued"}
    assert rest.settled(file_hash)["status"] == "ready"


def test_the_gateway_says_503_while_the_server_is_away(system: System, rest: Rest, meeting: str) -> None:
    system.kill("api")
    answer = rest.get("/speakers-balance", file_hash=meeting)
    assert (answer.status_code, answer.json()) == (503, {"message": "Service unavailable"})
    deadline = time.monotonic() + 30
    while rest.get("/speakers-balance", file_hash=meeting).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_stop_in_the_middle_loses_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    first = start_system(tmp_path / "data")
    rest = first.login()
    done = rest.analysed(excerpt(15))
    before = everything(rest, done)
    unfinished = rest.upload(excerpt(45, mark="unfinished")).json()["file_hash"]
    in_the_middle(rest, unfinished)
    second_up = first.meetra("up")
    assert second_up.returncode == 1
    assert "already runs" in second_up.stderr
    assert first.stop() == 0
    with pytest.raises(httpx.TransportError):
        rest.get("/speakers-balance", file_hash=done)
    second = start_system(tmp_path / "data")
    try:
        assert second.password == first.password
        again = second.login()
        assert everything(again, done) == before
        assert again.settled(unfinished)["status"] == "ready"
    finally:
        assert second.stop() == 0
