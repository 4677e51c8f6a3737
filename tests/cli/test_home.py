"""The data folder: secrets are made once and nobody else reads them, and what does not run is said."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.home import Home, NotRunning, running_system
from privacy import write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    key, made = home.secret("jwt-secret")
    assert made
    # The server asks for 32 characters at least.
    assert len(key) >= 32
    assert home.secret("jwt-secret") == (key, False)
    assert Home(tmp_path).secret("jwt-secret") == (key, False)
    assert home.secret("database-password")[0] != key


def test_only_the_owner_reads_secrets(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.secret("jwt-secret")
    assert (mode(tmp_path / "secrets"), mode(tmp_path / "secrets" / "jwt-secret")) == (0o700, 0o600)


def test_a_file_is_replaced_at_once_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("public before")
    path.chmod(0o644)
    write_private(path, "näive 🎈\n")
    assert (path.read_text(encoding="utf-8"), mode(path)) == ("näive 🎈\n", 0o600)
    assert [file.name for file in tmp_path.iterdir()] == ["ready.json"]


def test_a_folder_may_be_prepared_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "data")
    for _ in range(2):
        home.prepare()
    assert all(folder.is_dir() for folder in (home.audio, home.logs, home.run))


def test_a_running_system_is_described_and_without_one_the_command_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with pytest.raises(NotRunning, match=f"meetra up --data {tmp_path}"):
        running_system(tmp_path)
    write_private(home.ready_file, '{"gateway": "http://127.0.0.1:1", "email": "a", "password": "b"}')
    assert running_system(tmp_path) == {"gateway": "http://127.0.0.1:1", "email": "a", "password": "b"}
