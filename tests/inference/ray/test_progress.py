"""A server that hangs is told from one that is busy, silent for a moment, or still starting."""

from __future__ import annotations

from meetra.inference.v2.session_pb2 import GetStatisticsResponse, ModelStatistics

from inference.ray.progress import Load, Progress

STALL_S = 60.0


def test_one_that_leaves_several_looks_unanswered_for_long_enough_hangs() -> None:
    progress = Progress(STALL_S)
    looks = [progress.note(now, None) for now in (20.0, 40.0, 59.9, 60.0)]
    assert looks == ["", "", "", "does not answer"]


def test_refusals_that_come_at_once_are_no_hang_until_the_time_is_over() -> None:
    progress = Progress(STALL_S)
    assert {progress.note(second, None) for second in range(40)} == {""}
    assert progress.note(40, None)


def test_an_answer_in_between_begins_anew() -> None:
    progress = Progress(STALL_S)
    for now in (20.0, 40.0):
        progress.note(now, None)
    assert progress.note(45, GetStatisticsResponse()) == ""
    assert [progress.note(now, None) for now in (65.0, 85.0)] == ["", ""]
    assert progress.note(105, None)


def test_a_call_that_does_not_end_is_a_hang_and_a_long_queue_is_none() -> None:
    progress = Progress(STALL_S)
    busy = ModelStatistics(running_us=60_000_000, waiting=1000, longest_wait_us=10**9)
    assert progress.note(0, GetStatisticsResponse(models=[busy])) == ""
    busy.running_us += 1
    looks = [progress.note(now, GetStatisticsResponse(models=[ModelStatistics(), busy])) for now in (1, 2, 3)]
    assert looks[:2] == ["", ""]
    assert "does not end" in looks[2]


def test_a_call_that_ends_soon_after_the_machine_stood_still_is_no_hang() -> None:
    progress = Progress(STALL_S)
    busy, idle = GetStatisticsResponse(models=[ModelStatistics(running_us=300_000_000)]), GetStatisticsResponse()
    assert {progress.note(now, look) for now, look in enumerate((busy, busy, idle, busy, busy))} == {""}


def test_the_load_has_the_wait_of_the_work_since_the_last_look() -> None:
    progress = Progress(STALL_S)
    assert progress.load is None
    models = [ModelStatistics(works=10, waited_us=1_000_000), ModelStatistics(works=10, waited_us=3_000_000)]
    progress.note(0, GetStatisticsResponse(sessions=3, max_sessions=8, models=models))
    assert progress.load == Load(3, 8, 0.2)
    models[0].works, models[0].waited_us = 12, 9_000_000
    progress.note(1, GetStatisticsResponse(sessions=3, max_sessions=8, models=models))
    assert progress.load == Load(3, 8, 4.0)
    progress.note(2, GetStatisticsResponse(sessions=3, max_sessions=8, models=models))
    assert progress.load == Load(3, 8, 0.0)
    # Its server was started anew, and counts from zero.
    progress.note(3, GetStatisticsResponse(max_sessions=0))
    assert progress.load == Load(0, 1, 0.0)
