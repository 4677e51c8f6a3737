"""Processes die in the middle of an analysis: the meeting becomes ready by itself, once, with the same result."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.checkpoint import held
from tests.e2e.conftest import Rest, System, start_system
from tests.recordings import excerpt

ANSWERS = [
    "/single-feature-api/meeting/balance-score",
    "/single-feature-api/meeting/meeting-interaction_score",
    "/single-feature-api/meeting/meeting-interactions",
    "/single-feature-api/meeting/transcription",
    "/speakers-balance",
]
# Two speakers, and words of both.
SECONDS = 20


def everything(rest: Rest, file_hash: str) -> list[Any]:
    """All answers, with each speaker's UUID replaced by its alias: ids differ between meetings."""
    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    texts = [rest.get(path, file_hash=file_hash).text for path in ANSWERS]
    for speaker in speakers:
        texts = [text.replace(speaker["id"], speaker["alias"]) for text in texts]
    return texts


@pytest.fixture(scope="module")
def undisturbed(rest: Rest) -> list[Any]:
    """The answers about a recording whose analysis nothing disturbed."""
    return everything(rest, rest.analysed(excerpt(SECONDS)))


@pytest.mark.parametrize("victim", ["worker", "inference", "postgres"])
async def test_a_killed_process_costs_time_and_nothing_else(
    system: System, rest: Rest, undisturbed: list[Any], victim: str
) -> None:
    recording = excerpt(SECONDS, mark=f"survives {victim}")
    async with held(system, recording) as point:
        file_hash = rest.upload(recording).json()["file_hash"]
        await point.reached()
        system.kill(victim)
    assert rest.settled(file_hash)["status"] == "ready"
    assert everything(rest, file_hash) == undisturbed


async def test_a_recording_that_crashes_its_analysis_three_times_is_given_up_and_can_be_tried_anew(
    system: System, rest: Rest
) -> None:
    recording = excerpt(8, mark="three crashes")
    async with held(system, recording) as point:
        file_hash = rest.upload(recording).json()["file_hash"]
        for _ in range(3):
            await point.reached()
            system.kill("inference")
            await point.let_one_pass()
        state = rest.settled(file_hash)
    assert state["status"] == "failed"
    assert "crashed 3 times" in state["message"]
    assert rest.upload(recording).json() == {"file_hash": file_hash, "status": "queued"}
    assert rest.settled(file_hash)["status"] == "ready"


def test_a_recording_whose_decoders_die_is_tried_once_more_and_then_with_every_upload(
    system: System, rest: Rest
) -> None:
    # Neither does the probe of the upload refuse what it died of.
    system.doom.decoders(2, signal.SIGSEGV, probing=True)
    system.doom.decoders(1, signal.SIGSEGV)
    assert rest.settled(rest.upload(excerpt(8, mark="one death")).json()["file_hash"])["status"] == "ready"
    assert not system.doom.still_to_die
    recording = excerpt(8, mark="two deaths")
    system.doom.decoders(2, signal.SIGSEGV)
    file_hash = rest.upload(recording).json()["file_hash"]
    state = rest.settled(file_hash)
    assert (state["status"], state["stage"]) == ("failed", "decoding")
    assert "signal 11" in state["message"]
    assert "upload it again to retry" in state["message"]
    assert rest.upload(recording, name="Another name").json() == {"file_hash": file_hash, "status": "queued"}
    assert rest.settled(file_hash)["status"] == "ready"
    listed = rest.get("/single-feature-api/meetings").json()["meetings"]
    assert {m["name"] for m in listed if m["file_hash"] == file_hash} == {"Another name"}


def test_the_gateway_says_503_while_the_server_is_away(system: System, rest: Rest, meeting: str) -> None:
    with system.paused():
        system.kill("api")
        # It takes a moment to die, and comes back only when its supervisor goes on.
        while (answer := rest.get("/speakers-balance", file_hash=meeting)).status_code == 200:
            pass
        assert answer.status_code == 503
        assert answer.json()["message"].startswith("Service unavailable")
    while rest.get("/speakers-balance", file_hash=meeting).status_code != 200:
        time.sleep(0.2)


async def test_a_stop_in_the_middle_loses_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    first = start_system(tmp_path / "data")
    rest = first.login()
    done = rest.analysed(excerpt(15))
    before = everything(rest, done)
    recording = excerpt(8, mark="unfinished")
    async with held(first, recording) as point:
        unfinished = rest.upload(recording).json()["file_hash"]
        await point.reached()
        second_up = first.meetra("up")
        assert second_up.returncode == 1
        assert "already running" in second_up.stderr
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
