"""A system is backed up while it runs, and answers from the backup as before."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Rest, System, start_system

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


def test_a_restored_system_answers_as_before(
    system: System, rest: Rest, meeting: str, backup: Path, tmp_path: Path
) -> None:
    before = answers(rest, meeting)
    assert {status for status, _ in before.values()} == {200}
    audio = rest.get("/single-feature-api/meeting/audio", file_hash=meeting, variant="original").content
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in backup.rglob("*")} == {0}
    again = tmp_path / "again"
    done = system.meetra("restore", str(backup), data=again)
    assert done.returncode == 0, done.stderr
    restored = start_system(again)
    try:
        # The passwords, the keys and so the tokens of before.
        same = Rest(restored.gateway, rest.token)
        assert answers(same, meeting) == before
        assert same.get("/single-feature-api/meeting/audio", file_hash=meeting, variant="original").content == audio
        assert restored.password == system.password
        actions = same.get("/api/organization/audit").json()["events"]
        assert "meetra backup" in {event["method"] for event in actions}
    finally:
        assert restored.stop() == 0


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
