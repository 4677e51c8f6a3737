"""Silences of everybody: told once when they are long enough, once when they are over, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb

from server.live.pauses import Pauses

LEAST_MS = 3000


def said(*spans: tuple[int, int]) -> list[pb.LiveTurn]:
    return [pb.LiveTurn(start_ms=start, end_ms=end) for start, end in spans]


def told(events: Sequence[pb.LiveEvent]) -> list[tuple[int, int | None]]:
    """Begin and end of each; None while it lasts."""
    return [(e.pause.start_ms, e.pause.end_ms if e.pause.HasField("end_ms") else None) for e in events]


def test_a_pause_is_told_when_it_is_long_enough_and_when_it_is_over() -> None:
    pauses = Pauses(LEAST_MS)
    assert pauses.changes(said((0, 1000)), 3999, speaking=False) == []
    assert told(pauses.changes([], 4000, speaking=False)) == [(1000, None)]
    assert pauses.changes([], 9000, speaking=False) == []
    assert told(pauses.changes(said((9500, 9900)), 10_000, speaking=True)) == [(1000, 9500)]
    assert pauses.changes([], 99_000, speaking=True) == [], "somebody speaks, though it is not published how long"


def test_nobody_has_spoken_yet() -> None:
    pauses = Pauses(LEAST_MS)
    assert told(pauses.changes([], 3000, speaking=False)) == [(0, None)]


def test_a_pause_that_is_over_before_it_could_be_told_is_told_whole() -> None:
    pauses = Pauses(LEAST_MS)
    events = pauses.changes(said((0, 1000), (2000, 3000), (7000, 8000)), 8000, speaking=True)
    assert told(events) == [(3000, None), (3000, 7000)]


def test_speech_that_is_not_reached_yet_ends_no_pause() -> None:
    pauses = Pauses(LEAST_MS)
    assert told(pauses.changes(said((9000, 9500)), 5000, speaking=False)) == [(0, None)]
    assert told(pauses.changes(said((9000, 9500)), 9000, speaking=True)) == [(0, 9000)]


def test_speech_before_a_pause_that_moves_does_not_end_it() -> None:
    pauses = Pauses(LEAST_MS)
    pauses.changes(said((0, 1000)), 5000, speaking=False)
    assert pauses.changes(said((0, 1600)), 6000, speaking=False) == []


def test_the_end_of_the_meeting_ends_a_pause() -> None:
    pauses = Pauses(LEAST_MS)
    assert told(pauses.conclude(said((0, 1000)), 5000)) == [(1000, None), (1000, 5000)]
    assert pauses.conclude([], 5000) == []
    assert Pauses(LEAST_MS).conclude(said((0, 1000)), 3000) == []


steps = st.lists(
    st.tuples(st.integers(0, 6000), st.integers(1, 6000), st.booleans(), st.booleans()), min_size=1, max_size=12
)


@given(steps)
def test_pauses_are_long_enough_do_not_overlap_and_survive_restarts(
    made: list[tuple[int, int, bool, bool]],
) -> None:
    whole, pauses, events, now = Pauses(LEAST_MS), Pauses(LEAST_MS), [], 0
    expected: list[pb.LiveEvent] = []
    for gap, length, looked_at, restarted in made:
        if looked_at:
            events += pauses.changes([], now + gap, speaking=False)
            expected += whole.changes([], now + gap, speaking=False)
        speech = said((now + gap, now + gap + length))
        if restarted:
            pauses = Pauses(LEAST_MS)
            pauses.restore(events)
            # What was taken into account before is seen again.
            pauses.changes(said(*spoken_until(made, now)), now, speaking=False)
        now += gap + length
        events += pauses.changes(speech, now, speaking=True)
        expected += whole.changes(speech, now, speaking=True)
    events += pauses.conclude([], now)
    assert told(events) == told(expected)
    over = [(start, end) for start, end in told(events) if end is not None]
    assert [start for start, end in told(events) if end is None] == [start for start, _ in over]
    assert all(end - start >= LEAST_MS for start, end in over)
    assert all(first[1] <= second[0] for first, second in pairwise(over))


def spoken_until(made: list[tuple[int, int, bool, bool]], until: int) -> list[tuple[int, int]]:
    spans, now = [], 0
    for gap, length, _, _ in made:
        if now + gap + length <= until:
            spans.append((now + gap, now + gap + length))
        now += gap + length
    return spans
