"""Each call is counted once, under its method and how it ended; streams while they are open."""

from __future__ import annotations

from server.api.counted_call import CountedCall
from tests.monitoring.counting import counting


def test_a_single_call_is_counted_once_with_its_duration() -> None:
    with counting("meetra_call") as counted:
        call = CountedCall("/meetra.v1.MeetingService/GetStatus", streams=False)
        call.end("NOT_FOUND")
        call.end("CANCELLED")
    duration = counted.pop("meetra_call_duration_seconds_sum{method=MeetingService/GetStatus}")
    assert duration >= 0
    assert counted == {
        "meetra_calls_total{method=MeetingService/GetStatus,status=NOT_FOUND}": 1,
        "meetra_call_duration_seconds_count{method=MeetingService/GetStatus}": 1,
    }


def test_a_stream_counts_while_it_is_open_and_has_no_duration() -> None:
    with counting("meetra_") as ended:
        with counting("meetra_streams") as opened:
            call = CountedCall("/meetra.v1.LiveService/WatchMeeting", streams=True)
        call.end("OK")
    assert opened == {"meetra_streams_open{method=LiveService/WatchMeeting}": 1}
    assert ended == {"meetra_calls_total{method=LiveService/WatchMeeting,status=OK}": 1}
