"""The audio log: a recording has its final name when all of it is on disk, and not a byte of it is there otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.audio import UPLOADED, AudioLog
from server.audio.audio_log import LEFTOVER_AGE_S, RecordingTooLarge

ORGANIZATION = uuid4()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def keep(log: AudioLog, organization: UUID, *pieces: bytes) -> str:
    """Receive a recording and keep it; return its hash."""
    with log.receive(1000) as incoming:
        for piece in pieces:
            incoming.write(piece)
        files = {UPLOADED: incoming.flush()}
        for _ in range(2):
            # A transaction may be repeated.
            await log.kept.keep(organization, incoming.file_hash, files)
    assert incoming.size_bytes == sum(map(len, pieces))
    return incoming.file_hash


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=50), max_size=10))
def test_however_it_comes_a_recording_is_its_bytes_under_their_hash(tmp_path: Path, pieces: list[bytes]) -> None:
    log, whole = AudioLog(tmp_path), b"".join(pieces)
    file_hash = asyncio.run(keep(log, ORGANIZATION, *pieces))
    assert file_hash == hashlib.sha256(whole).hexdigest()
    assert (log.folder(ORGANIZATION, file_hash) / UPLOADED).read_bytes() == whole
    assert not files(log.incoming)


def test_what_is_received_and_not_kept_is_nothing(tmp_path: Path) -> None:
    log = AudioLog(tmp_path)
    with log.receive(1000) as incoming:
        incoming.write(b"half a recording")
        written = incoming.flush()
        assert written.read_bytes() == b"half a recording"
    assert files(tmp_path) == []


def test_a_request_that_brings_nothing_leaves_no_file_at_all(tmp_path: Path) -> None:
    with AudioLog(tmp_path).receive(1000):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_recording_may_be_as_large_as_the_limit_and_no_byte_larger(tmp_path: Path) -> None:
    log = AudioLog(tmp_path)
    with log.receive(10) as incoming:
        incoming.write(bytes(10))
        with pytest.raises(RecordingTooLarge):
            incoming.write(b"x")
    assert files(tmp_path) == []


async def test_the_same_recording_again_takes_the_place_of_itself(tmp_path: Path) -> None:
    log = AudioLog(tmp_path)
    for _ in range(2):
        file_hash = await keep(log, ORGANIZATION, b"a recording")
    assert list(log.recordings()) == [(ORGANIZATION, file_hash)]


async def test_recordings_are_listed_by_organization_and_removed_with_all_made_of_them(tmp_path: Path) -> None:
    log, other = AudioLog(tmp_path), UUID(int=7)
    hashes = {organization: await keep(log, organization, organization.bytes) for organization in (ORGANIZATION, other)}
    (tmp_path / "no-uuid" / "aa" / "folder").mkdir(parents=True)
    assert set(log.recordings()) == set(hashes.items())
    assert (log.hold(UPLOADED), log.hold("playback-*"), AudioLog(tmp_path / "none").hold(UPLOADED)) == (
        True,
        False,
        False,
    )
    log.pcm(ORGANIZATION, hashes[ORGANIZATION]).write_bytes(b"\x00\x00")
    log.live_track(ORGANIZATION, hashes[ORGANIZATION], 0).write_bytes(b"\x00\x00")
    log.remove(ORGANIZATION, hashes[ORGANIZATION])
    log.remove(ORGANIZATION, hashes[ORGANIZATION])
    assert list(log.recordings()) == [(other, hashes[other])]


def test_only_what_nobody_can_still_be_writing_is_swept(tmp_path: Path) -> None:
    log = AudioLog(tmp_path)
    log.incoming.mkdir()
    old, new, folder = [log.incoming / name for name in ("old", "new", "export-old")]
    folder.mkdir()
    (folder / "decoded").touch()
    for path, age_s in ((old, LEFTOVER_AGE_S + 60), (new, LEFTOVER_AGE_S - 60), (folder, LEFTOVER_AGE_S + 60)):
        if path != folder:
            path.write_bytes(b"x")
        os.utime(path, (time.time() - age_s,) * 2)
    assert log.sweep_leftovers() == 2
    assert files(log.incoming) == ["new"]


def test_a_server_that_never_received_anything_has_nothing_to_sweep(tmp_path: Path) -> None:
    log = AudioLog(tmp_path / "not there")
    assert (log.sweep_leftovers(), list(log.recordings())) == (0, [])
