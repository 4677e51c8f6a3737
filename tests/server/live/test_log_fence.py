"""One process at a time writes into a meeting's files, also where one stands still while another takes it up."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.audio import Edit, read_edits
from server.errors import HeldByAnotherServer
from server.live import source_log
from server.live.log_fence import Holder, LogFence
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts, read_cuts
from server.live.track_log import MeetingAudio
from server.storage import MeetingLost
from tests.recordings import ROOT
from tests.server.live.live_configs import MIXED, of_kinds

(TRACK,) = of_kinds(MIXED).tracks
PATIENCE_S = 300


def audio_in(folder: Path, syncing: ThreadPoolExecutor) -> MeetingAudio:
    return MeetingAudio([TrackLog(TRACK, folder / "track-0.log")], folder / "holder", syncing)


def test_the_newest_holder_is_known_by_its_marker_and_its_lock(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "meeting"
    first, second, looks = (LogFence(folder / "holder") for _ in range(3))
    assert looks.newest() == Holder(0, False)
    first.claim(3, renew=False)
    assert looks.newest() == Holder(3, True)
    first.check()
    first.release()
    assert looks.newest() == Holder(3, False)
    # It has let go, and is not replaced.
    first.check()
    second.claim(7, renew=False)
    assert looks.newest() == Holder(7, True)
    with pytest.raises(MeetingLost):
        first.check()
    with pytest.raises(MeetingLost):
        looks.check()
    assert [path.name for path in folder.iterdir()] == ["holder-7"]


def test_who_comes_late_with_an_older_number_takes_nothing(tmp_path: Path) -> None:
    late, newer = LogFence(tmp_path / "holder"), LogFence(tmp_path / "holder")
    newer.claim(6, renew=False)
    with pytest.raises(MeetingLost):
        late.claim(5, renew=True)
    newer.check()
    with pytest.raises(MeetingLost):
        late.check()
    assert [path.name for path in tmp_path.iterdir()] == ["holder-6"]


def test_a_deleted_meeting_is_lost_and_stays_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "meeting"
    fence = LogFence(folder / "holder")
    fence.claim(1, renew=False)
    (folder / "holder-1").unlink()
    folder.rmdir()
    with pytest.raises(MeetingLost):
        fence.check()
    assert not folder.exists()


@pytest.mark.parametrize("moment", ["before it opens the file", "with the file open", "after it has written"])
async def test_who_stands_still_while_another_takes_over_acknowledges_nothing_and_changes_nothing(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as slow, ThreadPoolExecutor(1) as syncing:
        paused, goes_on = threading.Event(), threading.Event()
        first = audio_in(tmp_path, slow)
        await first.open(1)
        await first.append(first.logs[0], b"ab" * 100)
        await first.wait_until_committed()
        cuts = TrackCuts(tmp_path / "cuts-0", first.check_holder)
        await cuts.add(50, -1)
        checks = iter(["with the file open", "with the file open", "after it has written"])
        check, write = first.check_holder, source_log.write_batch

        def stand_still(at: str) -> None:
            if at == moment and not paused.is_set():
                paused.set()
                goes_on.wait(PATIENCE_S)

        def checked() -> None:
            # What is asked first is asked before it stands still: the moment after the question is the worst.
            at = next(checks)
            if at == "with the file open":
                check()
                stand_still(at)
            else:
                stand_still(at)
                check()

        def slowly(batch: list[source_log.Write], _: Callable[[], None]) -> None:
            stand_still("before it opens the file")
            write(batch, checked)

        monkeypatch.setattr("server.live.track_log.write_batch", slowly)
        await first.append(first.logs[0], b"xy" * 10, edits=[Edit(100, 7, counted=True)])
        await asyncio.to_thread(paused.wait, PATIENCE_S)
        monkeypatch.setattr("server.live.track_log.write_batch", write)
        second = audio_in(tmp_path, syncing)
        await second.open(2, renew=True)
        # What was not acknowledged may be there, whole or not at all.
        known = second.logs[0].recorded
        assert known in ((100, 110) if moment == "after it has written" else (100,))
        await second.append(second.logs[0], b"cd" * 30)
        await second.wait_until_committed()
        written = (tmp_path / "track-0.log").read_bytes(), read_edits(tmp_path / "track-0.log")
        goes_on.set()
        with pytest.raises(HeldByAnotherServer):
            await first.wait_until_committed()
        with pytest.raises(MeetingLost):
            await first.wait_until_closed()
        assert first.logs[0].committed == 100
        with pytest.raises(MeetingLost):
            await cuts.add(60, -1)
        assert read_cuts(tmp_path / "cuts-0") == [50]
        assert ((tmp_path / "track-0.log").read_bytes(), read_edits(tmp_path / "track-0.log")) == written
        assert written[0].endswith(b"cd" * 30)
        assert written[0].startswith(b"ab" * 100)
        await first.close()
        # It is the second that is locked still.
        assert (await second.newest_holder()) == Holder(2, True)
        await second.close()


@pytest.mark.children
async def test_a_stopped_process_holds_nobody_up(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as syncing:
        command = [sys.executable, "-m", "tests.server.live.track_log_child", str(tmp_path), "1000"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            child.send_signal(signal.SIGSTOP)
            audio = MeetingAudio([TrackLog(TRACK, tmp_path / "t0.log")], tmp_path / "holder", syncing)
            assert await audio.newest_holder() == Holder(1, True)
            await audio.open(2, renew=True)
            assert audio.logs[0].committed == 1000
            await audio.close()
            child.kill()
