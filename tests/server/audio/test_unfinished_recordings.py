"""Recordings in pieces on disk: held by one at a time, there again after a crash, gone after a day."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from server.audio.unfinished_recordings import (
    KEPT_S,
    Finished,
    NoSuchRecording,
    RecordingLocked,
    Stated,
    UnfinishedRecordings,
)

ORGANIZATION = uuid4()
STATED = Stated("somebody", 10, "audio/wav", "m.wav", {"name": "M"})


def begun(root: Path) -> tuple[UnfinishedRecordings, str]:
    unfinished = UnfinishedRecordings(root)
    return unfinished, unfinished.create(ORGANIZATION, STATED)


def test_what_was_stated_and_received_is_there_for_the_next_process(tmp_path: Path) -> None:
    unfinished, recording_id = begun(tmp_path)
    with unfinished.hold(ORGANIZATION, recording_id) as held:
        held.append(b"abc")
        held.sync()
    with UnfinishedRecordings(tmp_path).hold(ORGANIZATION, recording_id) as held:
        assert (held.stated, held.size_bytes, held.finished) == (STATED, 3, None)
        held.append(b"de")
        assert held.path.read_bytes() == b"abcde"
        assert abs(held.expires_at - time.time() - KEPT_S) < 3600


def test_one_holds_it_at_a_time_and_the_death_of_a_holder_lets_go(tmp_path: Path) -> None:
    unfinished, recording_id = begun(tmp_path)
    with unfinished.hold(ORGANIZATION, recording_id), pytest.raises(RecordingLocked):
        unfinished.hold(ORGANIZATION, recording_id).__enter__()
    program = (
        "import os, sys, uuid, pathlib\n"
        "from server.audio.unfinished_recordings import UnfinishedRecordings\n"
        "held = UnfinishedRecordings(pathlib.Path(sys.argv[1])).hold(uuid.UUID(sys.argv[2]), sys.argv[3])\n"
        "held.__enter__().append(b'abc')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(ORGANIZATION), recording_id], check=False)
    assert died.returncode == -9
    with unfinished.hold(ORGANIZATION, recording_id) as held:
        assert held.size_bytes == 3


def test_what_is_finished_keeps_its_outcome_and_not_its_bytes(tmp_path: Path) -> None:
    unfinished, recording_id = begun(tmp_path)
    elsewhere = tmp_path / "original"
    with unfinished.hold(ORGANIZATION, recording_id) as held:
        held.append(b"0123456789")
        elsewhere.hardlink_to(held.path)
        assert unfinished.reserved(ORGANIZATION) == (1, 10)
        held.finish(Finished("hash", "queued"))
    with unfinished.hold(ORGANIZATION, recording_id) as held:
        assert held.finished == Finished("hash", "queued")
    assert elsewhere.read_bytes() == b"0123456789"
    assert unfinished.reserved(ORGANIZATION) == (0, 0)


def test_ids_of_others_and_what_is_no_id_are_nothing(tmp_path: Path) -> None:
    unfinished, recording_id = begun(tmp_path)
    for organization, name in (
        (uuid4(), recording_id),
        (ORGANIZATION, "../" + recording_id[3:]),
        (ORGANIZATION, recording_id.upper() if recording_id.upper() != recording_id else "g" * 32),
        (ORGANIZATION, ""),
    ):
        with pytest.raises(NoSuchRecording):
            unfinished.hold(organization, name).__enter__()
    with unfinished.hold(ORGANIZATION, recording_id) as held:
        held.remove()
    with pytest.raises(NoSuchRecording):
        unfinished.hold(ORGANIZATION, recording_id).__enter__()


def test_what_nobody_goes_on_with_is_swept(tmp_path: Path) -> None:
    unfinished, kept = begun(tmp_path)
    old = unfinished.create(ORGANIZATION, STATED)
    folder = tmp_path / "unfinished" / str(ORGANIZATION) / old
    ago = time.time() - KEPT_S - 60
    for path in (*folder.iterdir(), folder):
        os.utime(path, (ago, ago))
    assert unfinished.sweep() == 1
    assert not folder.exists()
    with unfinished.hold(ORGANIZATION, kept):
        pass
