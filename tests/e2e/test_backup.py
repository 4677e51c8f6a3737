"""A system is backed up while it runs, and answers from the backup as before, out of an object store as well."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Rest, System, start_system
from tests.object_stores import BUCKET, ObjectServer
from tests.recordings import excerpt

# Each answers for one meeting.
ANSWERS = (
    "/api/meeting/speakers",
    *(
        f"/single-feature-api/meeting/{name}"
        for name in (
            *("balance-score", "details-by-topics", "key-points", "meeting-dynamics", "meeting-emotions"),
            *("meeting-energy", "meeting-interaction_score", "meeting-interactions", "meeting-sentiment", "quality"),
            *("questions", "speakers-audio-quality", "status", "text-summaries", "topics", "transcription"),
        )
    ),
)


@pytest.fixture(scope="module")
def backup(system: System, meeting: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "of today"
    done = system.meetra("backup", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def answers(rest: Rest, meeting: str) -> dict[str, tuple[int, Any]]:
    got = {path: rest.get(path, file_hash=meeting) for path in ANSWERS}
    return {path: (answer.status_code, answer.json()) for path, answer in got.items()}


def test_a_restored_system_answers_as_before_and_keeps_recordings_in_an_object_store(
    system: System,
    rest: Rest,
    meeting: str,
    backup: Path,
    tmp_path: Path,
    object_server: ObjectServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = answers(rest, meeting)
    assert {status for status, _ in before.values()} == {200}
    audio = rest.get("/single-feature-api/meeting/audio", file_hash=meeting, variant="original").content
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in backup.rglob("*")} == {0}
    again = tmp_path / "again"
    # As an operator sets it, with the server's variables.
    monkeypatch.setenv("MEETRA_AUDIO_STORE", f"s3://{BUCKET}/restored")
    monkeypatch.setenv("MEETRA_AUDIO_STORE_PATIENCE_S", "2")
    done = system.meetra("restore", str(backup), data=again)
    assert done.returncode == 0, done.stderr
    assert object_server.holds(meeting.encode())
    restored = start_system(again)
    try:
        # The passwords, the keys and so the tokens of before.
        same = Rest(restored.gateway, rest.token)
        assert answers(same, meeting) == before
        assert same.get("/single-feature-api/meeting/audio", file_hash=meeting, variant="original").content == audio
        assert restored.password == system.password
        actions = same.get("/api/organization/audit").json()["events"]
        assert "meetra backup" in {event["method"] for event in actions}
        _keep_recordings_in_the_store(restored, same, meeting, object_server)
        # Out of the store, into a backup as of any system.
        second = tmp_path / "second"
        done = restored.meetra("backup", str(second))
        assert done.returncode == 0, done.stderr
        (copied,) = second.glob(f"audio/*/*/{meeting}/original")
        assert copied.read_bytes() == audio
        refused = restored.meetra("restore", str(second), data=tmp_path / "third")
        assert (refused.returncode, "is not empty" in refused.stderr) == (1, True), refused.stderr
    finally:
        assert restored.stop() == 0


def _keep_recordings_in_the_store(system: System, rest: Rest, meeting: str, object_server: ObjectServer) -> None:
    """Upload, analyse, play and delete; the store goes away meanwhile."""
    recording = excerpt(5, mark="in the store")
    with object_server.gone():
        refused = rest.upload(recording)
    assert (refused.status_code, refused.headers["x-meetra-reason"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(refused.headers["retry-after"]) > 0
    file_hash = rest.analysed(recording)
    sound = "/single-feature-api/meeting/audio"
    whole = rest.get(sound, file_hash=file_hash)
    part = rest.http.get(sound, params={"file-hash": file_hash}, headers={"range": "bytes=10-99"})
    assert (whole.status_code, part.status_code, part.content) == (200, 206, whole.content[10:100])
    assert rest.get(sound, file_hash=file_hash, variant="original").content == recording
    assert not list((system.data / "audio").glob(f"*/*/{file_hash}/*"))
    assert object_server.holds(file_hash.encode())
    assert rest.http.delete("/single-feature-api/meeting", params={"file-hash": file_hash}).status_code == 200
    assert not object_server.holds(file_hash.encode())
    (receipt,) = rest.get("/api/organization/deletions", file_hash=file_hash).json()["deletions"]
    # The recording, and three files of its sound.
    assert (receipt["file_hash"], receipt["files"]) == (file_hash, 4)
    found = json.loads(system.meetra("doctor", "--json").stdout)
    assert [finding["state"] for finding in found if finding["about"] == "object store"] == ["good"]


def change_a_byte(folder: Path) -> None:
    recording = max((folder / "audio").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    content = bytearray(recording.read_bytes())
    content[len(content) // 2] ^= 1
    recording.write_bytes(content)


def forget_a_file(folder: Path) -> None:
    (folder / "database.dump").unlink()


def shorten_the_list(folder: Path) -> None:
    lines = (folder / "files.jsonl").read_text().splitlines(keepends=True)
    (folder / "files.jsonl").write_text("".join(lines[:-1]))


def stop_before_the_end(folder: Path) -> None:
    (folder / "backup.json").unlink()


def come_from_later(folder: Path) -> None:
    facts = json.loads((folder / "backup.json").read_text())
    facts["migrations"].append("9999_of_later.sql")
    (folder / "backup.json").write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(change_a_byte, "is not what was backed up", id="changed"),
        pytest.param(forget_a_file, "is missing from the backup", id="missing"),
        pytest.param(shorten_the_list, "were backed up", id="listed"),
        pytest.param(stop_before_the_end, "holds no complete backup", id="incomplete"),
        pytest.param(come_from_later, "newer Meetra", id="newer"),
    ],
)
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    system: System, backup: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    damaged, data = tmp_path / "damaged", tmp_path / "data"
    shutil.copytree(backup, damaged)
    damage(damaged)
    done = system.meetra("restore", str(damaged), data=data)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert not data.exists() or not any(data.iterdir())


def test_nothing_is_written_over(system: System, backup: Path) -> None:
    for arguments in (("backup", str(backup)), ("restore", str(backup))):
        done = system.meetra(*arguments)
        assert (done.returncode, "is not empty" in done.stderr) == (1, True), done.stderr
