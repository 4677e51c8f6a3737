"""How many inference servers there are to be."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from inference.ray.config import RaySettings
from inference.ray.progress import Load
from inference.ray.scaling import Scaling

SETTINGS = RaySettings(min_replicas=1, max_replicas=4, shrink_after_s=300)
BUSY, HALF, IDLE = Load(8, 10, 0.0), Load(4, 10, 0.0), Load(0, 10, 0.0)


def test_the_least_number_is_started_at_once_and_the_most_is_not_passed() -> None:
    scaling = Scaling(RaySettings(min_replicas=3, max_replicas=4))
    assert scaling.wanted(0, []) == 3
    assert scaling.wanted(0, [BUSY] * 4) == 4
    assert scaling.wanted(0, [BUSY] * 6) == 4


def test_one_more_is_started_when_sessions_or_work_wait_for_room() -> None:
    scaling = Scaling(SETTINGS)
    assert scaling.wanted(0, [Load(6, 10, 0.0)]) == 1
    assert scaling.wanted(1, [BUSY]) == 2
    assert scaling.wanted(2, [BUSY, None]) == 2, "one is on its way"
    assert scaling.wanted(3, [BUSY, HALF]) == 2
    assert scaling.wanted(4, [BUSY, Load(1, 10, 5.1)]) == 3, "work waits"


def test_one_ends_when_the_rest_has_had_room_for_long_enough() -> None:
    scaling = Scaling(SETTINGS)
    assert [scaling.wanted(now, [HALF, IDLE]) for now in (0, 150, 299)] == [2, 2, 2]
    assert scaling.wanted(300, [HALF, IDLE]) == 1
    # Each waits for its own time.
    assert scaling.wanted(301, [HALF, IDLE, IDLE]) == 3


def test_what_comes_between_begins_the_wait_anew() -> None:
    for between in ([BUSY, BUSY], [Load(6, 10, 0.0), IDLE], [IDLE, None], [IDLE, Load(0, 10, 3.0)]):
        scaling = Scaling(SETTINGS)
        scaling.wanted(0, [IDLE, IDLE])
        scaling.wanted(200, between)
        assert scaling.wanted(301, [IDLE, IDLE]) == 2, between
        assert scaling.wanted(601, [IDLE, IDLE]) == 1, between


def test_the_last_ones_stay() -> None:
    scaling = Scaling(SETTINGS)
    assert [scaling.wanted(now, [IDLE]) for now in (0, 10_000)] == [1, 1]


@given(
    sessions=st.integers(0, 40),
    limit=st.integers(1, 10),
    count=st.integers(1, 4),
    wait_s=st.floats(0, 20, allow_nan=False),
)
def test_a_load_that_stays_does_not_make_the_number_swing(sessions: int, limit: int, count: int, wait_s: float) -> None:
    scaling, numbers = Scaling(SETTINGS), [count]
    for step in range(20):
        here = numbers[-1]
        open_sessions = min(sessions, here * limit)
        shares = [open_sessions // here + (place < open_sessions % here) for place in range(here)]
        numbers.append(scaling.wanted(1000.0 * step, [Load(share, limit, wait_s) for share in shares]))
    assert all(1 <= number <= 4 for number in numbers)
    steps = [after - before for before, after in itertools.pairwise(numbers) if after != before]
    assert len(set(steps)) <= 1
