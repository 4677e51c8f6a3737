"""When bulk work may begin, and who is told of it."""

from __future__ import annotations

from inference.engine.room import ACTIVE_S, Room


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_there_is_room_while_a_core_is_free_and_while_there_is_no_other_work() -> None:
    clock = Clock()
    room = Room(2, clock)
    seen = []
    for change in (room.begin_call, room.begin_call, room.submitted, room.end_call, room.begin_call, room.done):
        change()
        seen.append(room.is_there())
    assert seen == [True, True, False, True, False, False]
    clock.now += ACTIVE_S
    assert room.is_there(), "nothing else has come for a while"


def test_who_waits_is_told_once_when_a_call_ends() -> None:
    room, told = Room(1), list[str]()
    room.begin_call()
    room.begin_call()
    for _ in range(3):
        room.tell("queue", lambda: told.append("queue"))
    room.end_call()
    room.end_call()
    assert told == ["queue"]


def test_this_machine_has_a_core() -> None:
    room = Room()
    room.submitted()
    assert room.is_there()
