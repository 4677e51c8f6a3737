"""Two APIs and three workers behind one gateway, recordings in an object store: each does its part, and one may go."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from benchmarks.exactly_once import Excerpts, analysed_once, measure, statements_a_recording
from benchmarks.running_system import RunningSystem
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system
from tests.e2e.live_bot import speech
from tests.e2e.test_live_http import OPEN, control, events, opened, send
from tests.object_stores import BUCKET, ObjectServer

APIS = ("api", "api-2")
PROCESSES = ("--apis", "2", "--workers", "3", "--inference", "2")
CHUNK_BYTES = 16_000
# `benchmarks.exactly_once` counted 72. What each process asks all the time is left out by a guess from a few seconds,
# which may be wrong by all that it asks in a second, for as long as the recordings took.
MOST_STATEMENTS, MOST_A_SECOND = 120, 30


@pytest.fixture(scope="module")
def several(object_server: ObjectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETRA_AUDIO_STORE", f"s3://{BUCKET}/several")
        patch.setenv("MEETRA_LIVE_ACKNOWLEDGE", "remote")
        running = start_system(tmp_path_factory.mktemp("several") / "data", *PROCESSES)
    yield running
    assert running.stop() == 0


async def test_each_recording_is_analysed_once_by_whichever_worker(several: System, tmp_path: Path) -> None:
    names = ("gateway", "email", "password", "metrics", "data")
    system = RunningSystem(**{name: getattr(several, name) for name in names})
    excerpts, owner = Excerpts(2, tmp_path), await asyncpg.connect(system.database_url)
    try:
        figures = await measure(system, owner, excerpts, 6, 2, 3, 2)
        statements = await statements_a_recording(system, owner, excerpts, 3, idle_s=2)
    finally:
        await owner.close()
    assert analysed_once(figures), figures
    assert set(figures["uploads_by_api"]) <= set(APIS), figures
    assert len(figures["by_worker"]) > 1, figures
    wrong = MOST_A_SECOND * statements["took_s"] / 3
    assert statements["a_recording"] < MOST_STATEMENTS + wrong, (statements, figures)


def samples(system: System) -> Iterator[Sample]:
    """The metrics of all processes."""
    for family in text_string_to_metric_families(httpx.get(system.metrics, timeout=30).text):
        yield from family.samples


def calls(system: System, method: str) -> Counter[str]:
    """How many calls of a method each API answered."""
    found: Counter[str] = Counter()
    for sample in samples(system):
        labels = sample.labels
        if sample.name == "meetra_calls_total" and (labels["method"], labels["status"]) == (method, "OK"):
            found[labels["process"]] += int(sample.value)
    return found


def gateway_has_all(system: System) -> bool:
    """Whether the gateway knows of each API that it serves, wherever it chooses among them."""
    counts: dict[str, dict[str, float]] = {"total": {}, "healthy": {}}
    for sample in samples(system):
        kind = sample.name.removeprefix("envoy_cluster_membership_")
        if kind in counts:
            counts[kind][sample.labels["envoy_cluster_name"]] = sample.value
    several = [name for name, total in counts["total"].items() if total == len(APIS)]
    return bool(several) and all(counts["healthy"].get(name) == len(APIS) for name in several)


def sent(rest: Rest, ready: dict[str, Any], first_sample: int, data: bytes) -> None:
    """Send a chunk; again where the answer is that the client should come again."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while (answer := send(rest, ready, first_sample, data)).status_code == 503:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text


def told(rest: Rest, session_id: str) -> list[dict[str, Any]]:
    """All events of a meeting; asked for again where the answer is that the client should come again."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    path = f"{OPEN}/{session_id}/events"
    while True:
        with rest.http.stream("GET", path, params={"after_event_seq": 0}) as answer:
            comes_again = answer.status_code == 503
        if not comes_again:
            return list(events(rest, session_id))
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_calls_of_a_live_meeting_stay_together_and_go_on_when_their_api_ends(several: System) -> None:
    rest = several.login()
    # It finds out within seconds that each of them serves; sessions move when one more does.
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not gateway_has_all(several):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while set(calls(several, "MeetingService/ListMeetings")) != set(APIS):
        assert time.monotonic() < deadline
        assert rest.get("/single-feature-api/meetings").status_code == 200
    ready, pcm = opened(rest), speech(6)
    assert ready["acknowledgement"] == "ACKNOWLEDGEMENT_REMOTE"
    chunks = [(start // 2, pcm[start : start + CHUNK_BYTES]) for start in range(0, len(pcm), CHUNK_BYTES)]
    # The first may find the meeting where it was opened, before it had an id.
    sent(rest, ready, *chunks[0])
    before = calls(several, "LiveService/SendAudio")
    for chunk in chunks[1:6]:
        sent(rest, ready, *chunk)
    ((holder, number),) = (calls(several, "LiveService/SendAudio") - before).items()
    assert number == 5
    other = next(name for name in APIS if name != holder)
    with several.paused():
        # Nothing starts it again.
        leaving = psutil.Process(several.pid(holder))
        os.kill(leaving.pid, signal.SIGTERM)
        listed = []
        while leaving.is_running() and leaving.status() != psutil.STATUS_ZOMBIE:
            listed.append(rest.get("/single-feature-api/meetings").status_code)
        listed += [rest.get("/single-feature-api/meetings").status_code for _ in range(20)]
        assert set(listed) == {200}
        for chunk in chunks[6:9]:
            sent(rest, ready, *chunk)
    assert calls(several, "LiveService/SendAudio")[other] == before[other] + 3
    deadline = time.monotonic() + READY_TIMEOUT_S
    while several.pid(holder) == leaving.pid:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with several.paused():
        os.kill(several.pid(other), signal.SIGKILL)
        for chunk in chunks[9:]:
            sent(rest, ready, *chunk)
    assert control(rest, ready, "CONTROL_FINISH").status_code == 200
    assert told(rest, ready["session_id"])[-1]["finished"]["status"] == "ready"
    # It lies in the object store by now, or soon.
    sound = {"file_hash": ready["file_hash"], "variant": "original"}
    assert rest.get("/single-feature-api/meeting/audio", **sound).content.endswith(pcm)
