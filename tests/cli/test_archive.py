"""``meetra archive``, in a real database: a new file that only its owner reads, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from cli.__main__ import parser
from cli.archive import CannotWrite, run_archive
from cli.audit import NoSuchOrganization
from cli.database_roles import OWNER
from cli.postgres import PostgresServer
from server.audio import AudioLog
from server.storage.pool import Database
from tests.recordings import wav
from tests.server.export.test_meeting_audio import TONE
from tests.server.storage.rows import HASH, make_user, ready_meeting

Run = Callable[..., Awaitable[str]]


@pytest.fixture
async def recording(owner: Database, database: Database, tmp_path: Path) -> Path:
    """The recording of a meeting of Acme."""
    user = await make_user(owner, "Acme")
    await ready_meeting(database, user)
    path = AudioLog(tmp_path / "audio").folder(user.organization_id, HASH) / "original"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a recording")
    return path


@pytest.fixture
def run(
    postgres: PostgresServer,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Runs the command and returns what it prints."""
    url = postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", url)
    monkeypatch.setenv("MEETRA_AUDIO_DIR", str(tmp_path / "audio"))

    async def command(*arguments: str) -> str:
        assert await run_archive(parser().parse_args(["archive", *arguments])) == 0
        return capsys.readouterr().out

    return command


async def test_the_archive_is_complete_and_nobody_else_s_to_read(
    run: Run, recording: Path, owner: Database, tmp_path: Path
) -> None:
    path = tmp_path / "acme.tar"
    before = os.umask(0)
    try:
        said = await run("Acme", str(path))
    finally:
        os.umask(before)
    assert "1 meetings" in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as opened:
        content = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]
    assert content[f"meetings/{HASH}/recording.wav"] == b"a recording"
    assert json.loads(content["manifest.json"])["organization"]["name"] == "Acme"
    rows = await owner.run(lambda c: c.fetch("SELECT actor, action, method FROM audit_events"))
    assert [tuple(row) for row in rows] == [("operator", "export", "meetra archive")]
    await run("Acme", str(tmp_path / "small.tar"), "--no-audio")
    with tarfile.open(tmp_path / "small.tar") as opened:
        assert not [name for name in opened.getnames() if "recording" in name]


async def test_redacted_audio_is_silent(run: Run, recording: Path, owner: Database, tmp_path: Path) -> None:
    recording.write_bytes(wav(TONE))
    await owner.run(
        lambda c: c.execute(
            "UPDATE meetings SET redact = 'phone', redacted_ranges = '[[500, 1000]]', duration_ms = 3000"
        )
    )
    folder = tmp_path / "made"
    folder.mkdir()
    await run("Acme", str(folder / "acme.tar"))
    with tarfile.open(folder / "acme.tar") as opened:
        data = opened.extractfile(f"meetings/{HASH}/recording.wav").read()  # type: ignore[union-attr]
    heard = np.frombuffer(data[-TONE.nbytes :], "<i2")
    assert not heard[8000:16_000].any()
    assert heard[:8000].all()
    # What was decoded is gone.
    assert [path.name for path in folder.iterdir()] == ["acme.tar"]
    assert [path.name for path in recording.parent.iterdir()] == ["original"]


async def test_what_exists_is_left_alone(run: Run, recording: Path, tmp_path: Path) -> None:
    path, link = tmp_path / "there", tmp_path / "link"
    path.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(CannotWrite, match="exists"):
            await run("Acme", str(taken))
    assert path.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


async def test_what_is_incomplete_is_removed(run: Run, recording: Path, tmp_path: Path) -> None:
    recording.unlink()
    recording.symlink_to("/etc/passwd")
    path = tmp_path / "acme.tar"
    with pytest.raises(CannotWrite, match="was removed"):
        await run("Acme", str(path))
    assert not path.exists()


async def test_what_cannot_be_exported_is_said(run: Run, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuchOrganization, match="Nobody"):
        await run("Nobody", str(tmp_path / "a.tar"))
    with pytest.raises(CannotWrite, match="--no-audio"):
        await run("Acme", str(tmp_path / "a.tar"), "--audio-dir", str(tmp_path / "none"))
    with pytest.raises(CannotWrite, match="No such file"):
        await run("Acme", str(tmp_path / "none" / "a.tar"))
    assert not (tmp_path / "a.tar").exists()
