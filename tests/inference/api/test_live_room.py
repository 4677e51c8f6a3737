"""When further live meetings are too much, and how they come again after that."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inference.api.live_room import CALM_S, GROW_EVERY_S, LiveRoom, LiveRooms

MAX_S, FLOOR, MOST = 4.0, 4, 128
LATE_S, SO_SO_S = 5.0, 3.0


def room_after(*looks: tuple[float, float, int]) -> LiveRoom:
    """A room that was looked at: at which second, how late work was, how many sessions there were."""
    room = LiveRoom(MAX_S, FLOOR, MOST)
    for now, lag_s, sessions in looks:
        room.look(now, lag_s, sessions)
    return room


def test_as_long_as_work_begins_in_time_the_number_does_not_matter() -> None:
    assert not room_after((0, 0, 1), (1, 0.5, 60), (2, SO_SO_S, 90), (3, MAX_S, 127)).full


def test_it_is_full_from_the_bound_until_work_begins_in_time_for_a_while() -> None:
    late = [(0.0, LATE_S, 10)]
    assert room_after(*late).full
    # Not before half of the bound, nor at its first moment.
    assert room_after(*late, (60, SO_SO_S, 5)).full
    assert room_after(*late, (60, 0, 5), (60 + CALM_S / 2, 0, 5)).full
    assert room_after(*late, (60, 0, 5), (61, SO_SO_S, 5), (60 + CALM_S, 0, 5)).full
    assert not room_after(*late, (60, 0, 5), (60 + CALM_S, 0, 5)).full


def test_after_that_they_come_one_after_the_other() -> None:
    room = room_after((0, LATE_S, 20), (60, 0, 7), (60 + CALM_S, 0, 7))
    now, sessions, opened = 60 + CALM_S, 7, []
    while sessions < 11:
        while not room.full:
            sessions += 1
            opened.append(round(now))
            room.look(now, 0, sessions)
        now += 1
        room.look(now, 0, sessions)
    assert [later - earlier for earlier, later in pairwise(opened)] == [GROW_EVERY_S] * 3


def test_while_work_is_not_quite_in_time_there_are_no_more() -> None:
    room = room_after((0, LATE_S, 20), (60, 0, 7), (60 + CALM_S, 0, 8))
    for second in range(100, 1000):
        room.look(second, SO_SO_S, 9)
    assert room.full


def test_what_was_too_much_is_forgotten_in_minutes() -> None:
    room = room_after((0, LATE_S, 20), (60, 0, 0), (60 + CALM_S, 0, 0))
    assert room.remembers
    for second in range(70, 70 + 600):
        room.look(second, 0, 0)
    assert not room.remembers
    room.look(700, 0, 100)
    assert not room.full


def rooms_at(
    lags: dict[str, float], sessions: dict[str, int], *, max_s: float = MAX_S, floor: int = FLOOR
) -> LiveRooms:
    rooms = LiveRooms(max_s, floor, MOST)
    rooms.look(0, lags, sessions)
    return rooms


@pytest.mark.parametrize("sessions", [{"a": 1}, {"a": 3}, {"a": 1, "b": 1, "c": 1}], ids=["one", "three", "of three"])
def test_few_sessions_are_never_too_many_however_slow_the_machine_is(sessions: dict[str, int]) -> None:
    rooms = rooms_at(dict.fromkeys(sessions, 3600.0), sessions)
    assert not any(map(rooms.full, [*sessions, "new", None]))


def test_without_a_bound_nothing_is_too_late() -> None:
    rooms = rooms_at({"a": 3600.0}, {"a": 100}, max_s=0)
    assert not rooms.full("a")
    assert not rooms.full(None)


def test_who_has_many_late_sessions_shuts_nobody_else_out() -> None:
    rooms = rooms_at({"many": LATE_S}, {"many": 48, "few": 2})
    assert rooms.full("many")
    assert not rooms.full("few")
    assert not rooms.full("new")
    assert not rooms.full(None)


def test_where_those_with_a_single_session_are_late_there_is_room_for_nobody() -> None:
    names = [f"o{number}" for number in range(20)]
    rooms = rooms_at(dict.fromkeys(names, LATE_S), dict.fromkeys(names, 1))
    assert all(map(rooms.full, [*names, "new", None]))


def test_one_that_is_late_by_its_own_doing_says_nothing_of_others() -> None:
    rooms = rooms_at({"replayed": 60.0}, {"replayed": 1, "a": 1, "b": 2, "c": 1})
    assert rooms.full("replayed")
    assert not any(map(rooms.full, ["a", "b", "c", None]))


def test_who_was_too_much_is_known_while_it_has_no_session() -> None:
    rooms = rooms_at({"a": LATE_S}, {"a": 12})
    rooms.look(30, {}, {})
    assert rooms.organizations == ["a"]
    rooms.look(30 + CALM_S, {}, {})
    rooms.look(35 + CALM_S, {}, {"a": FLOOR + 1})
    assert rooms.full("a")
    for second in range(40, 40 + 600):
        rooms.look(second, {}, {})
    assert rooms.organizations == []
