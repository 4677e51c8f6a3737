"""When the client tries again, and when it gives up."""

from __future__ import annotations

import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode, aio

from meetra_client.errors import BadRequest, ConnectionLost, HeldByAnotherClient, MeetraError, TakenOver, Unreachable
from meetra_client.reconnect import Backoff
from meetra_client.refusals import DETAILS_TRAILER, classify_failure

GONE = MeetraError("gone", StatusCode.UNAVAILABLE)
LOST = ConnectionLost("UNAVAILABLE: gone", GONE)


class Clock:
    """Moves when it is told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_waits_grow_to_a_bound_and_begin_anew_after_progress() -> None:
    backoff = Backoff(1000, min_wait_s=1, max_wait_s=8, clock=Clock())
    waits = [backoff.next_wait_s(LOST) for _ in range(6)]
    for wait, longest in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= wait <= longest
    backoff.reset()
    assert backoff.next_wait_s(LOST) <= 1


def test_patience_ends_with_the_last_reason_and_counts_from_the_first_failure() -> None:
    clock = Clock()
    backoff = Backoff(10, clock=clock)
    backoff.next_wait_s(LOST)
    clock.now_s += 100
    backoff.reset()
    backoff.next_wait_s(LOST)
    clock.now_s += 9.99
    assert backoff.next_wait_s(LOST) <= 0.011
    clock.now_s += 0.01
    with pytest.raises(Unreachable, match="no connection for 10 s: UNAVAILABLE: gone") as given_up:
        backoff.next_wait_s(LOST)
    assert given_up.value.code is StatusCode.UNAVAILABLE
    assert given_up.value.__cause__ is GONE


def test_what_the_server_asks_for_is_waited_for_within_the_patience() -> None:
    held = MeetraError("in other hands", StatusCode.UNAVAILABLE, retry_after_s=5)
    backoff = Backoff(8, min_wait_s=1, max_wait_s=8, clock=Clock())
    assert 5.5 <= backoff.next_wait_s(ConnectionLost("held", held)) <= 6
    assert backoff.next_wait_s(ConnectionLost("held", MeetraError("far off", retry_after_s=1e9))) == 8
    assert 0 <= backoff.next_wait_s(ConnectionLost("held", MeetraError("long ago", retry_after_s=-1e9))) <= 8


def failed_call(code: StatusCode, said: str | None, packed: bytes | None = None) -> aio.AioRpcError:
    trailers = aio.Metadata() if packed is None else aio.Metadata((DETAILS_TRAILER, packed))
    return aio.AioRpcError(code, aio.Metadata(), trailers, said)


@pytest.mark.parametrize("code", StatusCode, ids=lambda code: code.name)
def test_every_status_either_passes_or_is_an_error_with_the_words_of_the_server(code: StatusCode) -> None:
    meant = classify_failure(failed_call(code, "why"))
    passing = ("UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "OK")
    assert isinstance(meant, ConnectionLost) == (code.name in passing)
    if isinstance(meant, MeetraError):
        assert (str(meant), meant.code) == ("why", code)


def test_the_reason_tells_what_one_status_stands_for() -> None:
    for reason, kind in (("HELD_BY_ANOTHER_CLIENT", HeldByAnotherClient), ("TAKEN_OVER", TakenOver)):
        meant = classify_failure(failed_call(StatusCode.ABORTED, None, details("meetra", reason, limit="4")))
        assert type(meant) is kind
        assert (str(meant), meant.facts) == ("ABORTED", {"limit": "4"})
    assert type(classify_failure(failed_call(StatusCode.ABORTED, None))) is MeetraError


def test_details_that_are_not_understood_leave_what_the_status_says() -> None:
    newer = classify_failure(
        failed_call(StatusCode.INVALID_ARGUMENT, "why", details("meetra", "NEWER_THAN_THIS", limit="4"))
    )
    assert isinstance(newer, BadRequest)
    assert newer.facts == {"limit": "4"}
    for foreign in (details("elsewhere.example", "TAKEN_OVER", limit="4"), b"\xff\xff", b""):
        meant = classify_failure(failed_call(StatusCode.ABORTED, "why", foreign))
        assert type(meant) is MeetraError
        assert meant.facts == {}


def details(domain: str, reason: str, **facts: str) -> bytes:
    status = status_pb2.Status(details=[any_pb2.Any()])
    status.details[0].Pack(error_details_pb2.ErrorInfo(domain=domain, reason=reason, metadata=facts))
    packed: bytes = status.SerializeToString()
    return packed
