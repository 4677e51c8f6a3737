"""Copies of a backup's files, and their list."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from cli.backup_files import CopiedFile, DamagedBackup, copy, files_under, read_list, write_list


def test_a_copy_is_private_and_told_by_length_and_digest(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "track").write_bytes(content)
    target = tmp_path / "copies" / "audio" / "track"
    assert copy(tmp_path / "track", target) == (len(content), hashlib.sha256(content).hexdigest())
    assert target.read_bytes() == content
    assert (target.stat().st_mode & 0o777, target.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    with pytest.raises(FileExistsError):
        copy(tmp_path / "track", target)
    with pytest.raises(FileNotFoundError):
        copy(tmp_path / "gone", tmp_path / "other")


def test_links_and_what_is_left_out_are_passed_over(tmp_path: Path) -> None:
    for name in ("incoming/half", "kept/whole", "kept/incoming/also"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "kept" / "link").symlink_to("/etc/passwd")
    found = {path.relative_to(tmp_path).as_posix() for path in files_under(tmp_path, frozenset({"incoming"}))}
    assert found == {"kept/whole", "kept/incoming/also"}


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = [CopiedFile("database.dump", 3, "ab"), CopiedFile("audio/ö\n/track", 0, "")]
    write_list(files, tmp_path / "files.jsonl")
    assert read_list(tmp_path / "files.jsonl") == files


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        json.dumps({"path": "audio/x"}),
        json.dumps({"path": "../secrets", "bytes": 1, "sha256": ""}),
        json.dumps({"path": "/etc/passwd", "bytes": 1, "sha256": ""}),
        json.dumps({"path": "audio/../../x", "bytes": 1, "sha256": ""}),
        json.dumps({"path": "logs/x", "bytes": 1, "sha256": ""}),
        json.dumps({"path": "", "bytes": 1, "sha256": ""}),
    ],
    ids=["no json", "no object", "no digest", "above", "absolute", "above later", "another folder", "nothing"],
)
def test_a_list_that_is_damaged_or_leads_elsewhere_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "files.jsonl").write_text(line + "\n")
    with pytest.raises(DamagedBackup, match=r"files\.jsonl"):
        read_list(tmp_path / "files.jsonl")
