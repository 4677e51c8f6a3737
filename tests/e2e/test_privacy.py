"""Who can read what: the modes of all files, what each process is given, and what reaches the logs."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import numpy as np
import pytest

from cli.log_rotation import rotate_logs
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system
from tests.privacy.modes import open_to_others
from tests.recordings import RATE_HZ, excerpt, sample_pcm, wav

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
# Nobody says it, and nothing of ours is called so.
MARKER = "quincunx"
# Of meetings that are deleted again, and of one that is not.
DELETED, KEPT = "perihelion", "syzygial"
PROCESSES = ("postgres", "inference", "api", "worker", "envoy")
# What somebody has in the shell from which the system is started.
OF_THE_CALLER = {
    "AWS_SECRET_ACCESS_KEY": "caller-aws",
    "HF_TOKEN": "caller-hub",
    "MEETRA_PASSWORD": "caller-password",
    "MEETRA_SUMMARY_KEY": "caller-summary-key",
}
# By process: the secrets that it is given, and so what it can do.
GIVEN = {
    "postgres": set(),
    "inference": set(),
    "envoy": set(),
    # Reads and changes rows of one organization at a time; asks for summaries, if an endpoint is set.
    "worker": {"meetra_runtime-password", "MEETRA_SUMMARY_KEY"},
    # Signs tokens as well: it is told where the keys are.
    "api": {"meetra_runtime-password", "MEETRA_SUMMARY_KEY"},
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, started from a shell with secrets and a careless umask."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in OF_THE_CALLER.items():
            environment.setenv(name, value)
        umask = os.umask(0)
        try:
            running = start_system(tmp_path_factory.mktemp("privacy") / "data")
        finally:
            os.umask(umask)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def used(system: System, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rest, str, list[str]]:
    """The system after a day of work, with the marker wherever people write: a client, a meeting, its sentences."""
    password = system.add_user(f"{MARKER}@example.org", "--organization", f"{MARKER} Ltd")
    rest = system.login(f"{MARKER}@example.org", password)
    wrong = {"email": f"{MARKER}@example.org", "password": f"{MARKER}-wrong"}
    assert httpx.post(f"{system.gateway}/api-login", json=wrong, timeout=30).status_code == 400
    file_hash = rest.analysed(excerpt(45), name=f"About {MARKER}", key_terms=f"{MARKER}, budget")
    refused = rest.upload(f"Dear {MARKER},".encode(), name=MARKER)
    assert refused.status_code == 400 or rest.settled(refused.json()["file_hash"])["status"] == "failed"
    recording = tmp_path_factory.mktemp("live") / "live.wav"
    recording.write_bytes(excerpt(12))
    streamed = system.meetra("stream", str(recording), "--speed", "0", "--participant", f"Mr {MARKER}")
    assert streamed.returncode == 0, streamed.stderr
    assert f"Mr {MARKER}" in streamed.stdout
    params = {"file-hash": file_hash}
    speaker = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"][0]["id"]
    renamed = rest.http.put(f"/api/meeting/speakers/{speaker}", params=params, json={"alias": f"Ms {MARKER}"})
    assert renamed.status_code == 200, renamed.text
    rest.get("/single-feature-api/meeting/status", file_hash=MARKER)
    rest.http.get("/api/meeting/speakers", params={**params, "token": rest.token})
    rest.http.post("/api-login", content=f'{{"email": "{MARKER}", '.encode())
    asyncio.run(_violate_constraints(system.database_url))
    answer = rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash).json()
    (entries,) = (value for value in answer.values() if isinstance(value, list))
    sentences = [entry["transcription"] for entry in entries]
    assert len(" ".join(sentences).split()) > 50
    return rest, file_hash, sentences


async def _violate_constraints(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(
                "INSERT INTO users SELECT gen_random_uuid(), organization_id, email, password_hash FROM users"
            )
    finally:
        await connection.close()


def secrets_of(system: System) -> dict[str, str]:
    """All secrets by name: those of the data folder, and those of the caller."""
    files = [path for path in (system.data / "secrets").rglob("*") if path.is_file()]
    # Of the key in PEM the line that differs from key to key.
    made = {path.name: path.read_text().splitlines()[-2 if path.suffix == ".pem" else 0] for path in files}
    assert len(made) == 6
    return {**made, **OF_THE_CALLER}


def test_no_file_of_the_data_folder_is_open_to_others(system: System, used: tuple[Rest, str, list[str]]) -> None:
    assert open_to_others(system.data) == []
    assert list((system.data / "audio").rglob("track-*.log"))
    # The decoder wrote as a user of its own; its files were taken back, and deleted when the meeting was ready.
    assert not list((system.data / "audio").rglob("pcm_*.raw"))
    assert {path.stat().st_uid for path in (system.data / "audio").rglob("*")} == {os.geteuid()}


def test_each_process_is_given_the_secrets_that_it_needs(system: System) -> None:
    found = {}
    for name in PROCESSES:
        given = Path(f"/proc/{system.pid(name)}/environ").read_text()
        found[name] = {secret for secret, value in secrets_of(system).items() if value in given}
    assert found == GIVEN
    told = {name for name in PROCESSES if "token-keys" in Path(f"/proc/{system.pid(name)}/environ").read_text()}
    assert told == {"api"}


def test_no_secret_is_on_a_command_line(system: System) -> None:
    for name in PROCESSES:
        command = Path(f"/proc/{system.pid(name)}/cmdline").read_text()
        assert not [secret for secret, value in secrets_of(system).items() if value in command], name


def test_every_process_makes_closed_files(system: System) -> None:
    masks = {}
    for name in PROCESSES:
        status = Path(f"/proc/{system.pid(name)}/status").read_text()
        masks[name] = status.split("Umask:")[1].split()[0]
    assert masks == dict.fromkeys(PROCESSES, "0077")


def test_nothing_that_anybody_said_or_typed_is_in_a_log(system: System, used: tuple[Rest, str, list[str]]) -> None:
    rest, _, sentences = used
    logs = {path.name: path.read_text(errors="replace") for path in (system.data / "logs").iterdir()}
    # What `meetra up` prints, which a service or a container keeps.
    logs["standard output"] = system.data.with_suffix(".log").read_text()
    assert {"access.log", "api.log", "worker.log", "inference.log", "postgres.log", "envoy.log"} < set(logs)
    assert "duplicate key value violates unique constraint" in logs["postgres.log"]
    secrets = [*secrets_of(system).values(), rest.token, rest.token.rpartition(".")[2], system.password]
    phrases = [" ".join(words[i : i + 4]) for words in (s.split() for s in sentences) for i in range(len(words) - 3)]
    for name, text in logs.items():
        assert MARKER not in text, name
        assert not [found for found in secrets if found in text], name
        assert not [found for found in phrases if found in text], name
        assert "@" not in text.replace("demo@meetra.local", ""), name


def marked(seconds: float) -> bytes:
    """A recording whose samples hold the second marker, too."""
    return wav(np.concatenate([sample_pcm()[: int(seconds * RATE_HZ)], np.frombuffer(DELETED.encode() * 50, "<i2")]))


def files_with(folder: Path, marker: str) -> list[str]:
    """The files of a folder that hold a marker."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]


def test_nothing_of_deleted_meetings_is_left_in_any_file(system: System, tmp_path: Path) -> None:
    rest = system.login()
    uploaded = rest.analysed(marked(30), name=f"About {DELETED}", key_terms=DELETED)
    speaker = rest.get("/api/meeting/speakers", file_hash=uploaded).json()["speakers"][0]["id"]
    query, body = {"file-hash": uploaded}, {"alias": f"Ms {DELETED}"}
    assert rest.http.put(f"/api/meeting/speakers/{speaker}", params=query, json=body).status_code == 200
    recording = tmp_path / "live.wav"
    recording.write_bytes(marked(10))
    streamed = system.meetra("stream", str(recording), "--speed", "0", "--participant", f"Mr {DELETED}")
    assert streamed.returncode == 0, streamed.stderr
    kept = rest.analysed(excerpt(10), name=f"About {KEPT}")
    listed = rest.get("/single-feature-api/meetings").json()["meetings"]
    held = {Path(name).parts[len(system.data.parts)] for name in files_with(system.data, DELETED)}
    assert held == {"audio", "postgres"}, "else the search finds nothing"
    for file_hash in {meeting["file_hash"] for meeting in listed} - {kept}:
        assert rest.http.delete("/single-feature-api/meeting", params={"file-hash": file_hash}).status_code == 200
    purged = system.meetra("purge")
    assert purged.returncode == 0, purged.stderr
    assert "nothing of deleted rows is left" in purged.stdout
    assert files_with(system.data, DELETED) == []
    receipts = {r["file_hash"]: r for r in rest.get("/api/organization/deletions").json()["deletions"]}
    live = {meeting["file_hash"] for meeting in listed} - {kept, uploaded}
    assert receipts.keys() >= {uploaded, *live}
    assert all(receipt["purged_at"] for receipt in receipts.values())
    assert receipts[uploaded]["files"] == 1
    assert all(receipts[file_hash]["rows"]["live_events"] > 0 for file_hash in live)
    assert all(receipts[file_hash]["files"] >= 1 for file_hash in live)
    assert any("postgres" in name for name in files_with(system.data, KEPT))
    assert rest.get("/single-feature-api/meeting/status", file_hash=kept).json()["status"] == "ready"


def test_rotated_logs_go_on_where_they_are(system: System) -> None:
    folder = system.data / "logs"
    rotate_logs(folder, max_bytes=10)
    assert (folder / "access.log.1").stat().st_size > 10
    deadline = time.monotonic() + READY_TIMEOUT_S
    # Envoy writes its log every ten seconds.
    while not (written := (folder / "access.log").read_bytes()):
        assert time.monotonic() < deadline
        httpx.get(f"{system.gateway}/single-feature-api/meetings", timeout=30)
        time.sleep(0.5)
    assert written.startswith(b"{"), "Envoy appends, wherever it was before"
    assert open_to_others(folder) == []
