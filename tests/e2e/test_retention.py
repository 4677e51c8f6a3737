"""Retention in a running system: what is due is deleted, shown, answered as deleted, and on a receipt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system
from tests.monitoring.collector import Collector, SentSpan, collecting
from tests.recordings import excerpt

MEETING = "/single-feature-api/meeting"
LOCK = 0x72657461
SERVICES = {"meetra-gateway", "meetra-api", "meetra-worker", "meetra-inference"}
# The worker waits at this point, in the transaction that writes the receipt of one meeting.
TRIGGER = """
CREATE FUNCTION wait_at_receipt() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({lock}); RETURN NEW; END $$;
CREATE TRIGGER wait_at_receipt BEFORE INSERT ON deletions FOR EACH ROW
WHEN (NEW.file_hash = '{hash}') EXECUTE FUNCTION wait_at_receipt();
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def system(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, which looks for what is due all the time; with logs for programs, and traces."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MEETRA_RETENTION_EVERY_S", "0.2")
        environment.setenv("MEETRA_LOG_FORMAT", "json")
        for name, value in collector.settings.items():
            environment.setenv(name, value)
        running = start_system(tmp_path_factory.mktemp("retention") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture
def rest(system: System) -> Rest:
    rest = system.login()
    set_days(rest, audio=0, transcript=0, meeting=0)
    return rest


def set_days(rest: Rest, **days: int) -> None:
    policy = {f"retention_{part}_days": count for part, count in days.items()}
    answer = rest.http.put("/api/organization", json={"policy": policy})
    assert answer.status_code == 200, answer.text
    assert answer.json()["organization"]["policy"].items() >= policy.items()


@asynccontextmanager
async def connected(system: System) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(system.database_url)
    try:
        yield connection
    finally:
        await connection.close()


def age(system: System, file_hash: str, days: int) -> None:
    """Make a meeting as old as this, and a bit."""

    async def change() -> None:
        async with connected(system) as connection:
            statement = (
                "UPDATE meetings SET created_at = now() - make_interval(days => $2, mins => 1) WHERE file_hash = $1"
            )
            assert await connection.execute(statement, file_hash, days) == "UPDATE 1"

    asyncio.run(change())


def retained(rest: Rest, file_hash: str) -> dict[str, Any]:
    answer: dict[str, Any] = rest.get(f"{MEETING}/retention", file_hash=file_hash).json()
    return answer


def until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def files_of(system: System, file_hash: str) -> list[Path]:
    return [path for path in (system.data / "audio").rglob(f"{file_hash}/*") if path.is_file()]


def receipts(rest: Rest, file_hash: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.get("/api/organization/deletions", file_hash=file_hash).json()["deletions"]
    return found


def test_an_uploaded_meeting_goes_part_by_part(system: System, rest: Rest) -> None:
    recording = excerpt(20, mark="retention")
    file_hash = rest.analysed(recording)
    assert retained(rest, file_hash) == {"audio": {}, "transcript": {}, "meeting": {}}
    # Decoded audio is gone already: the recording is all that there is.
    assert [path.name for path in files_of(system, file_hash)] == ["original"]
    set_days(rest, audio=10, transcript=20, meeting=30)
    assert all(set(part) == {"due_at"} for part in retained(rest, file_hash).values())

    age(system, file_hash, 10)
    until(lambda: "deleted_at" in retained(rest, file_hash)["audio"] and receipts(rest, file_hash))
    until(lambda: receipts(rest, file_hash)[0].get("files_removed_at"))
    assert files_of(system, file_hash) == []
    assert rest.get(f"{MEETING}/transcription", file_hash=file_hash).status_code == 200
    again = rest.upload(recording)
    assert (again.status_code, again.json()["status"]) == (200, "ready")
    assert files_of(system, file_hash) == []

    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    age(system, file_hash, 20)
    until(lambda: "deleted_at" in retained(rest, file_hash)["transcript"])
    for path in (
        "transcription",
        "questions",
        "key-points",
        "text-summaries",
        "notes",
        "topics",
        "details-by-topics",
        "quality",
    ):
        gone = rest.get(f"{MEETING}/{path}", file_hash=file_hash)
        assert gone.status_code == 410, path
        assert gone.json()["message"].startswith("What was said in this meeting was deleted on 20"), path
        assert gone.json().keys() == {"message"}
    for path in ("balance-score", "meeting-sentiment", "meeting-energy", "meeting-dynamics", "speakers-audio-quality"):
        assert rest.get(f"{MEETING}/{path}", file_hash=file_hash).status_code == 200, path
    assert rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"] == speakers
    body = {"into": speakers[0]["id"]}
    assert rest.http.post(f"/api/meeting/speakers/{speakers[1]['id']}/merge", json=body).status_code == 410

    age(system, file_hash, 30)
    until(lambda: rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404)
    assert rest.get(f"{MEETING}/retention", file_hash=file_hash).status_code == 404
    meeting, transcript, audio = receipts(rest, file_hash)
    assert [receipt["part"] for receipt in (meeting, transcript, audio)] == ["meeting", "transcript", "audio"]
    assert all(receipt["reason"] == "retention" and "email" not in receipt for receipt in (meeting, transcript, audio))
    assert (audio["files"], audio["bytes"], audio["rows"]) == (1, len(recording), {})
    assert transcript["rows"]["conversations"] == 1
    assert meeting["rows"]["meetings"] == 1


def test_a_live_meeting_without_its_audio_is_not_resumed_and_nothing_is_made_anew(
    system: System, rest: Rest, tmp_path: Path
) -> None:
    recording = tmp_path / "live.wav"
    recording.write_bytes(excerpt(12))
    streamed = system.meetra("stream", str(recording), "--speed", "0")
    assert streamed.returncode == 0, streamed.stderr
    file_hash = rest.get("/single-feature-api/meetings").json()["meetings"][0]["file_hash"]

    async def session() -> str:
        async with connected(system) as connection:
            statement = (
                "SELECT l.meeting_id FROM live_meetings l JOIN meetings m ON m.id = l.meeting_id WHERE m.file_hash = $1"
            )
            return str(await connection.fetchval(statement, file_hash))

    session_id = asyncio.run(session())
    events = f"/single-feature-api/live/{session_id}/events"
    assert "finished" in rest.http.get(events).text
    set_days(rest, audio=10, transcript=20)
    age(system, file_hash, 10)
    until(lambda: not files_of(system, file_hash) and receipts(rest, file_hash))
    assert receipts(rest, file_hash)[0]["files"] >= 1
    # The process that showed it until now finds out within moments.
    until(lambda: rest.http.get(events).status_code == 410)
    assert rest.http.get(events).json()["message"].startswith("The audio of this meeting was deleted on 20")
    resumed = rest.http.post("/single-feature-api/live", json={"session_id": session_id})
    assert resumed.status_code == 410
    age(system, file_hash, 20)
    until(lambda: rest.http.get(events).json()["message"].startswith("What was said"))
    assert receipts(rest, file_hash)[0]["rows"]["live_events"] > 0
    assert files_of(system, file_hash) == []


async def test_a_worker_killed_between_rows_and_files_leaves_no_file(system: System, rest: Rest) -> None:
    file_hash = rest.analysed(excerpt(8, mark="killed"))
    async with connected(system) as holder, connected(system) as recording:
        await holder.execute(TRIGGER.format(hash=file_hash, lock=LOCK))
        await holder.execute("SELECT pg_advisory_lock($1)", LOCK)
        set_days(rest, meeting=10)
        await holder.execute(
            "UPDATE meetings SET created_at = now() - interval '11 days' WHERE file_hash = $1", file_hash
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        while not await holder.fetchval(waiting, LOCK):
            await asyncio.sleep(0.02)
        # Whoever wants the recording next, as the worker does for its files, comes after this connection.
        organization_id = await holder.fetchval("SELECT organization_id FROM meetings WHERE file_hash = $1", file_hash)
        name = f"{organization_id}/{file_hash}"
        taken = asyncio.create_task(recording.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", name))
        while not await holder.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1 AND NOT granted",
            recording.get_server_pid(),
        ):
            await asyncio.sleep(0.02)
        await holder.execute("SELECT pg_advisory_unlock($1)", LOCK)
        await taken
        assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404
        assert len(files_of(system, file_hash)) == 1
        system.kill("worker")
        assert [receipt.get("files_removed_at") for receipt in receipts(rest, file_hash)] == [None]
        await holder.execute("DROP TRIGGER wait_at_receipt ON deletions")
        # Nobody waits a minute for the deletion to count as abandoned.
        await holder.execute("UPDATE deletions SET deleted_at = deleted_at - interval '1 hour'")
    await asyncio.to_thread(until, lambda: receipts(rest, file_hash)[0].get("files_removed_at"))
    assert files_of(system, file_hash) == []
    (receipt,) = receipts(rest, file_hash)
    assert (receipt["part"], receipt["files"]) == ("meeting", 1)


def test_receipts_and_policy_are_the_organization_s_own(system: System, rest: Rest) -> None:
    password = system.add_user("else@example.org", "--organization", "Elsewhere")
    stranger = system.login("else@example.org", password)
    set_days(rest, audio=77)
    assert stranger.get("/api/organization").json()["organization"]["policy"]["retention_audio_days"] == 0
    assert stranger.get("/api/organization/deletions").json() == {"deletions": [], "next_page_token": ""}
    nobody = httpx.get(f"{system.gateway}/api/organization", timeout=60)
    assert nobody.status_code == 401
    shown = system.meetra("organizations", "Elsewhere", "--retention-audio-days", "5")
    assert shown.returncode == 0, shown.stderr
    assert stranger.get("/api/organization").json()["organization"]["policy"]["retention_audio_days"] == 5
    wrong = rest.http.put("/api/organization", json={"policy": {"retention_audio_days": -1}})
    assert (wrong.status_code, wrong.json()["message"]) == (
        400,
        "Bad request: policy.retention_audio_days: -1; must be 1 to 36500 days, or 0 for never",
    )


def test_logs_are_objects_that_say_of_whom_and_of_which_meeting(system: System, rest: Rest) -> None:
    rest.analysed(excerpt(5, mark="logged"))
    lines = {
        name: [json.loads(line) for line in (system.data / "logs" / f"{name}.log").read_text().splitlines()]
        for name in ("api", "worker", "inference", "envoy")
    }
    for name, said in lines.items():
        for line in said:
            assert line["process"] == name
            assert line.keys() >= {"time", "level", "logger", "message"}, line
            datetime.fromisoformat(line["time"])
    assert not [name for name in ("api", "worker", "inference") if not lines[name]]
    ready = [line for line in lines["worker"] if line["message"].endswith(": ready")]
    assert ready
    for line in ready:
        assert line["message"] == f"meeting {line['meeting']}: ready"
        assert UUID(line["organization"])


def test_an_upload_and_its_analysis_are_one_trace_and_a_call_is_one_with_the_gateway(
    system: System, rest: Rest, collector: Collector
) -> None:
    with collector.lock:
        collector.spans.clear()
        collector.texts.clear()
    file_hash = rest.analysed(excerpt(5, mark="traced"), name="Quincunx")
    assert rest.get("/api/search", query="perihelion").status_code == 200

    # Each process sends its spans when it comes to it.
    awaited = {"queue the analysis", "decode the recording", "read the sentences", "store the results"}
    awaited |= {"LanguageService/AnalyseSentences", "speech recognition", "voice activity"}

    def came(sent: list[SentSpan]) -> bool:
        ids, names = {span.id for span in sent}, {span.name for span in sent}
        searches = [span for span in sent if span.name == "SearchService/SearchMeetings"]
        return names >= awaited and bool(searches) and searches[0].parent in ids

    spans = collector.until(came)
    (upload,) = [span for span in spans if span.name == "MeetingService/UploadMeeting begins"]
    of_upload = [span for span in spans if span.trace == upload.trace]
    assert {span.service for span in of_upload} == SERVICES - {"meetra-gateway"}
    assert {span.name for span in of_upload} >= awaited
    (queued,) = [span for span in of_upload if span.name == "queue the analysis"]
    assert {span.parent for span in of_upload if span.service == "meetra-worker"} == {queued.id}
    (search,) = [span for span in spans if span.name == "SearchService/SearchMeetings"]
    (gateway,) = [span for span in spans if span.id == search.parent]
    assert (gateway.service, gateway.trace) == ("meetra-gateway", search.trace)
    # The log names the trace too.
    lines = map(json.loads, (system.data / "logs" / "worker.log").read_text().splitlines())
    assert upload.trace in {line.get("trace") for line in lines if line["message"].endswith(": ready")}
    for text in collector.texts:
        for secret in ("Quincunx", "perihelion", file_hash, rest.token, "query="):
            assert secret not in text
