"""What a holder reports of its meetings: who spoke, how far tracks and analysis are, and who is connected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privacy.log_context import current_log_context
from server.live import holder_reports
from server.live.figures import LiveFigures
from server.live.holder_reports import HolderReports
from server.live.session import LiveSession
from server.storage import live_reports
from server.storage.pool import Database
from tests.monitoring.counting import counting, samples
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import progress, scripted_engine, turn
from tests.server.live.test_session import caller_of, server_of, until

CONFIG = replace(of_kinds(PARTICIPANT, PARTICIPANT), language="en")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


async def known_in_logs() -> dict[str, str]:
    return dict(current_log_context())


async def report_of(database: Database, meeting: LiveSession) -> dict[str, Any]:
    (listed,) = await database.run(
        lambda c: live_reports.list_running(c, meeting.row.organization_id, 2, None),
        organization_id=meeting.row.organization_id,
    )
    return listed.report or {}


async def test_a_report_says_what_only_the_holder_knows(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(holder_reports, "time", clock)
    reports = HolderReports(database, 15.0)

    async def write(held: Iterable[LiveSession]) -> dict[str, Any]:
        clock.now += holder_reports.REPORT_EVERY_S
        await reports.write(held)
        return await report_of(database, meeting)

    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, await caller_of(owner))
        said = await write([meeting])
        quiet = {"next_sample": 0, "quiet_s": None}
        assert said == {
            "speakers": [],
            "connected": False,
            "tracks": {"t0": quiet, "t1": quiet},
            "lag_ms": 0,
            "words_lag_ms": 0,
        }
        await meeting.connect(take_over=False, streams=True)
        log = meeting.audio.logs[1]
        await meeting.audio.append(log, bytes(2 * 10 * RATE_HZ))
        await meeting.audio.wait_until_committed()
        session = await engine.session()
        session.say(turn(1, 0, 4, "good morning everybody"), progress(6, 6, 5))

        async def spoken() -> bool:
            return bool(meeting.turns.speakers()) and meeting.tracks.lag_ms() < 10_000

        await until(spoken)
        assert await meeting._spawn(known_in_logs()) == {
            "organization": str(meeting.row.organization_id),
            "meeting": str(meeting.row.meeting_id),
        }
        _check_figures(meeting)
        said = await write([meeting])
        # Participants are numbered by their tracks.
        assert said["speakers"] == [[2, "P1"]]
        assert said["connected"]
        assert said["tracks"] == {"t0": quiet, "t1": {"next_sample": 10 * RATE_HZ, "quiet_s": 0.0}}
        assert 0 < said["lag_ms"] < 10_000
        clock.now += 100
        assert (await write([meeting]))["tracks"]["t1"]["quiet_s"] == 100 + holder_reports.REPORT_EVERY_S
        # Not due: nothing is written.
        meeting.turns.name({2: "Ada"})
        await reports.write([meeting])
        assert (await report_of(database, meeting))["speakers"] == [[2, "P1"]]
        assert (await write([meeting]))["speakers"] == [[2, "Ada"]]


def _check_figures(meeting: LiveSession) -> None:
    """What is counted of it: ten seconds of audio on one of two tracks, of which the turns of six are known."""
    figures = LiveFigures()
    with counting("meetra_live_") as counted:
        for _ in range(2):
            figures.measure([meeting])
    assert counted["meetra_live_audio_acknowledged_seconds_total"] == 10
    assert counted["meetra_live_audio_analysed_seconds_total"] == 6
    assert counted["meetra_live_turns_lag_seconds_count"] == counted["meetra_live_words_lag_seconds_count"] == 2
    assert counted["meetra_live_turns_lag_seconds_sum"] == 2 * 4
    assert samples("meetra_live_meetings") == {"meetra_live_meetings": 1}
    assert samples("meetra_live_tracks") == {"meetra_live_tracks": 2}
    assert samples("meetra_live_lag_seconds")["meetra_live_lag_seconds{of=turns}"] == 4
    # What another process had counted before is not counted again.
    taken_up = LiveFigures()
    meeting.row = replace(meeting.row, fence=2)
    with counting("meetra_live_audio") as again:
        taken_up.measure([meeting])
        taken_up.measure([])
    assert again == {}
    assert samples("meetra_live_meetings") == {"meetra_live_meetings": 0}
    meeting.row = replace(meeting.row, fence=1)


async def test_who_watches_elsewhere_is_known_with_the_next_report(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, await caller_of(owner))
        told: list[float] = []
        monkeypatch.setattr(meeting.presence, "watched_elsewhere", told.append)
        await HolderReports(database, 15.0).write([meeting])
        assert told == []
        row = meeting.row
        await database.run(
            lambda c: live_reports.watch(c, row.organization_id, row.meeting_id, attended=True),
            organization_id=row.organization_id,
        )
        await HolderReports(database, 15.0).write([meeting])
        assert len(told) == 1
        assert told[0] >= 0
