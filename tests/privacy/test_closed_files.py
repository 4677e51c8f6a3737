"""Files that only their owner opens: closed when made or found open, and never used through links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from privacy import UnsafeFile, close_folder, open_private_log, read_private, write_private
from tests.privacy.modes import modes, open_to_others

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


def test_a_file_is_replaced_at_once_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("public before")
    path.chmod(0o644)
    write_private(path, "näive 🎈\n")
    assert (read_private(path), modes(tmp_path)) == ("näive 🎈\n", {"ready.json": 0o600})


def test_nothing_is_written_through_a_link_that_lies_there(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("of somebody else")
    for name in ("key", "key.new"):
        (tmp_path / name).symlink_to(victim)
    write_private(tmp_path / "key", "a secret")
    assert victim.read_text() == "of somebody else"
    assert (read_private(tmp_path / "key"), (tmp_path / "key").is_symlink()) == ("a secret", False)
    with pytest.raises(UnsafeFile, match="symbolic link"):
        open_private_log(tmp_path / "key.new")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "key", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_not_read_through_links_from_pipes_or_from_folders(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("a key that somebody knows")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(UnsafeFile, match=f"{tmp_path / name} .*remove it"):
            read_private(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none")


def test_a_secret_that_was_open_to_others_is_closed_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("known")
    (tmp_path / "key").chmod(0o664)
    assert read_private(tmp_path / "key") == "known"
    assert modes(tmp_path) == {"key": 0o600}


def test_logs_are_appended_to_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("before\n")
    path.chmod(0o644)
    with os.fdopen(open_private_log(path), "w") as log:
        log.write("after\n")
    os.close(open_private_log(tmp_path / "new.log"))
    assert path.read_text() == "before\nafter\n"
    assert modes(tmp_path) == {"api.log": 0o600, "new.log": 0o600}


def loose(folder: Path) -> Path:
    """A folder as an old version left it: everybody reads it."""
    for name in ("organization/ab/abcd/track-0.log", "organization/ab/abcd/holder", "incoming/tmp"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("audio")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def test_a_loose_folder_is_closed_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = loose(tmp_path / "audio")
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    (folder / "link").symlink_to(outside)
    close_folder(folder)
    assert open_to_others(folder) == []
    assert set(modes(folder).values()) == {0o700, 0o600}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644, "a link leads out of the folder"


def test_a_closed_folder_is_not_walked_again(tmp_path: Path) -> None:
    folder = loose(tmp_path / "audio")
    folder.chmod(0o700)
    close_folder(folder)
    assert len(open_to_others(folder)) == 7


@as_root
def test_what_belongs_to_somebody_else_is_left_alone_or_refused(tmp_path: Path) -> None:
    folder = loose(tmp_path / "data")
    theirs = folder / "incoming" / "tmp"
    os.chown(theirs, 61_100, 61_100)
    close_folder(folder)
    assert open_to_others(folder) == [theirs]
