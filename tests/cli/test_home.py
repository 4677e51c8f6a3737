"""The data folder: secrets are made once and nobody else reads them, and what does not run is said."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.home import Home, NotRunning, owner_url, running_system
from cli.settings import BadSettings
from privacy import UnsafeFile, write_private
from tests.privacy.modes import open_to_others


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    key, made = home.secret("a-password")
    assert made
    # The server asks for 32 characters at least.
    assert len(key) >= 32
    assert home.secret("a-password") == (key, False)
    assert Home(tmp_path).secret("a-password") == (key, False)
    assert home.secret("database-password")[0] != key


def test_only_the_owner_reads_secrets(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.secret("a-password")
    assert (mode(tmp_path / "secrets"), mode(tmp_path / "secrets" / "a-password")) == (0o700, 0o600)


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


def test_the_folder_of_an_old_version_is_closed_at_the_start(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in ("audio/organization/ab/abcd/track-0.log", "logs/api.log", "run/envoy.yaml", "secrets/a-password"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("s" * 40)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    home = Home(root)
    home.prepare()
    assert open_to_others(root) == []
    assert home.secret("a-password") == ("s" * 40, False)


def test_the_secret_that_signed_the_tokens_of_older_versions_is_removed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    write_private(home.secret_file("jwt-secret"), "s" * 40)
    home.prepare()
    assert list((tmp_path / "secrets").iterdir()) == []


def test_a_folder_of_everybody_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(UnsafeFile, match=f"{tmp_path} is shared .*--data"):
        Home(tmp_path).prepare()
    assert (mode(tmp_path), list(tmp_path.iterdir())) == (0o1777, [])


def test_links_in_the_place_of_folders_and_secrets_are_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = Home(tmp_path / "data")
    home.root.mkdir()
    (home.root / "secrets").symlink_to(elsewhere)
    with pytest.raises(UnsafeFile, match="is a link"):
        home.prepare()
    (home.root / "secrets").unlink()
    home.prepare()
    (elsewhere / "known").write_text("k" * 40)
    home.secret_file("a-password").symlink_to(elsewhere / "known")
    with pytest.raises(UnsafeFile, match="remove it"):
        home.secret("a-password")


def test_the_owner_of_the_database_is_that_of_the_settings_or_of_the_running_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEETRA_DATABASE_OWNER_URL", raising=False)
    home, config = Home(tmp_path / "data"), tmp_path / "owner.toml"
    home.prepare()
    write_private(home.ready_file, '{"gateway": "http://127.0.0.1:1", "email": "a", "password": "b"}')
    write_private(home.database_url_file, "postgresql://running")
    # A file of settings without it says nothing about it.
    config.write_text('log_level = "INFO"')
    monkeypatch.setenv("MEETRA_CONFIG", str(config))
    assert owner_url(home.root) == "postgresql://running"
    config.write_text('database_owner_url = "postgresql://file"')
    assert owner_url(home.root) == "postgresql://file"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", "postgresql://environment")
    assert owner_url(home.root) == "postgresql://environment"
    monkeypatch.setenv("MEETRA_LOG_LEVEL", "LOUD")
    with pytest.raises(BadSettings, match="MEETRA_LOG_LEVEL"):
        owner_url(home.root)
