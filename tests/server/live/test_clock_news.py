"""What is told of the clocks of tracks: each drift once, until it has changed."""

from __future__ import annotations

from pathlib import Path

from meetra.v1 import live_pb2 as pb

from server.live.clock_news import ClockNews
from server.live.source_log import TrackLog
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds

CONFIG = of_kinds(MIXED, PARTICIPANT)


def test_a_drift_is_told_from_100_ppm_and_when_it_has_changed_by_as_much() -> None:
    news, logs = ClockNews(), [TrackLog(track, Path(track.track_id)) for track in CONFIG.tracks]
    told: list[tuple[str, int, int]] = []
    for ppm in (None, 99, -99, 100, 199, 150, 200, 40, -60):
        logs[1].clock.drift_ppm, logs[1].clock.corrected_us = ppm, 20_499
        clocks = [event.clock for event in news.events(logs)]
        told += [(clock.track_id, clock.drift_ppm, clock.corrected_ms) for clock in clocks]
    assert told == [("t1", 100, 20), ("t1", 200, 20), ("t1", 40, 20), ("t1", -60, 20)]


def test_a_clock_that_runs_behind_is_told_again_once_it_was_right() -> None:
    news, logs = ClockNews(), [TrackLog(CONFIG.tracks[0], Path("t0"))]
    told = []
    for behind in (False, True, True, False, False, True):
        logs[0].clock.behind = behind
        told.append([event.warning.code for event in news.events(logs)])
    once = [pb.WARNING_CODE_CAPTURE_CLOCK]
    assert told == [[], once, [], [], [], once]
