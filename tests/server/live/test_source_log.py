"""The files of a source: how long what is heard of it is, and where clients are, also after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.audio import Edit, Encoding, TrackFormat, read_edits
from server.live.source_log import TrackLog, Write, write_batch
from tests.server.live.live_configs import MIXED, of_kinds

MULAW = TrackFormat(Encoding.MULAW, 8000, 1)


def opened(path: Path, format: TrackFormat = MULAW) -> TrackLog:
    log = TrackLog(of_kinds(MIXED, format=format, start_us=1_000_000).tracks[0], path)
    log.recover(lambda: None)
    return log


def receive(log: TrackLog, data: bytes, *edits: Edit) -> None:
    for edit in edits:
        log.edit(edit)
    log.pending.append(data)
    for name in ("accepted", "recorded", "length"):
        setattr(log, name, getattr(log, name) + len(data))


def test_silence_counts_in_positions_where_the_client_counts_it_and_in_time_always(tmp_path: Path) -> None:
    log = opened(tmp_path / "track-0.log")
    receive(log, bytes(100))
    receive(log, bytes(50), Edit(100, 8000, True), Edit(100, 4000, False), Edit(100, -20, False))
    assert (log.accepted, log.recorded, log.length) == (8150, 150, 12_130)
    assert (log.moment_us(), log.moment_us(8000)) == (1_000_000 + 1_516_250, 1_000_000 + 2_516_250)
    assert (log.samples(1_000_000), log.samples(-1_000_124)) == (8000, -8000)
    assert log.committed_samples == 0
    write_batch([Write.of(log)], lambda: None)
    assert (log.pending, log.pending_edits) == ([], [])
    again = opened(log.path)
    assert (again.accepted, again.committed, again.recorded, again.length) == (8150, 8150, 150, 12_130)
    assert again.committed_samples == 24_260
    assert again.pauses == 2


def test_what_was_not_written_is_not_there(tmp_path: Path) -> None:
    log = opened(tmp_path / "track-0.log")
    receive(log, bytes(100), Edit(0, 10, True))
    write_batch([Write.of(log)], lambda: None)
    receive(log, bytes(100), Edit(100, 20, True))
    again = opened(log.path)
    assert (again.accepted, again.length) == (110, 110)
    # Edits are written before their audio: a crash in between leaves one too many.
    write = Write.of(log)
    write_batch([write._replace(data=b"")], lambda: None)
    assert len(read_edits(log.path)) == 2
    assert opened(log.path).accepted == 110
    assert len(read_edits(log.path)) == 1


def test_files_of_a_deleted_meeting_do_not_come_back(tmp_path: Path) -> None:
    log = opened(tmp_path / "track-0.log")
    for path in tmp_path.iterdir():
        path.unlink()
    receive(log, bytes(100), Edit(0, 10, True))
    with pytest.raises(FileNotFoundError):
        write_batch([Write.of(log)], lambda: None)
    assert list(tmp_path.iterdir()) == []


def test_bytes_of_a_container_have_no_length_but_their_own(tmp_path: Path) -> None:
    log = opened(tmp_path / "track-0.log", TrackFormat(Encoding.WEBM_OPUS, 48_000, 1))
    receive(log, bytes(100))
    write_batch([Write.of(log)], lambda: None)
    again = opened(log.path, log.track.format)
    assert (again.accepted, again.length, again.committed_samples) == (100, 100, None)
