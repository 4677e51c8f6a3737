"""When the client tries again, and when it gives up."""

from __future__ import annotations

import pytest
from grpc import StatusCode

from meetra_client.errors import ConnectionLost, MeetingOver, MeetraError, SessionHeld, TakenOver, Unreachable, outcome
from meetra_client.reconnect import Backoff

LOST = ConnectionLost("UNAVAILABLE: gone", StatusCode.UNAVAILABLE)


class Clock:
    """Moves when it is told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_waits_grow_to_a_bound_and_begin_anew_after_progress() -> None:
    backoff = Backoff(1000, shortest_s=1, longest_s=8, now=Clock())
    waits = [backoff.next_wait_s(LOST) for _ in range(6)]
    for wait, longest in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= wait <= longest
    backoff.progressed()
    assert backoff.next_wait_s(LOST) <= 1


def test_patience_ends_with_the_last_reason_and_counts_from_the_first_failure() -> None:
    clock = Clock()
    backoff = Backoff(10, now=clock)
    backoff.next_wait_s(LOST)
    clock.now_s += 100
    backoff.progressed()
    backoff.next_wait_s(LOST)
    clock.now_s += 9.99
    assert backoff.next_wait_s(LOST) <= 0.011
    clock.now_s += 0.01
    with pytest.raises(Unreachable, match="no connection for 10 s: UNAVAILABLE: gone") as given_up:
        backoff.next_wait_s(LOST)
    assert given_up.value.code is StatusCode.UNAVAILABLE


@pytest.mark.parametrize("code", StatusCode, ids=lambda code: code.name)
def test_every_status_either_passes_or_is_an_error_with_the_words_of_the_server(code: StatusCode) -> None:
    meant = outcome(code, "why", was_ready=True)
    passing = ("UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "OK")
    assert isinstance(meant, ConnectionLost) == (code.name in passing)
    if isinstance(meant, MeetraError):
        assert (str(meant), meant.code) == ("why", code)


def test_aborted_means_held_before_ready_and_taken_over_after() -> None:
    assert isinstance(outcome(StatusCode.ABORTED, None, was_ready=False), SessionHeld)
    assert isinstance(outcome(StatusCode.ABORTED, None, was_ready=True), TakenOver)
    assert isinstance(outcome(StatusCode.FAILED_PRECONDITION, None, was_ready=True), MeetingOver)
