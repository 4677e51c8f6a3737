"""How late live work begins: by session, the median of an organization, and for a few seconds only."""

from __future__ import annotations

from typing import Any, cast

from inference.engine.live_waits import WINDOW_S, LiveWaits


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Meeting:
    """A session, by its kind and organization alone."""

    def __init__(self, organization: str = "a", *, live: bool = True) -> None:
        self.organization, self.live = organization, live


def test_the_median_of_the_sessions_of_each_organization_counts() -> None:
    waits = LiveWaits()
    prompt, slow, replayed, other = Meeting(), Meeting(), Meeting(), Meeting("b")
    for late_s in (0.0, 2.0):
        waits.note(prompt, late_s)
    for late_s in (2.0, 4.0):
        waits.note(slow, late_s)
    # One that sends an hour at once waits for itself: that says nothing of the others.
    for late_s in range(100):
        waits.note(replayed, late_s)
    waits.note(other, 0.5)
    assert waits.by_organization({}) == {"a": 3.0, "b": 0.5}


def test_work_that_waits_still_counts_for_as_long_as_it_does() -> None:
    waits = LiveWaits()
    heard, unheard = Meeting(), Meeting("b")
    waits.note(heard, 1.0)
    assert waits.by_organization({heard: 0.2, unheard: 30.0}) == {"a": 1.0, "b": 30.0}
    assert waits.by_organization({heard: 7.0}) == {"a": 7.0}


def test_uploads_and_what_is_no_session_do_not_count() -> None:
    waits, upload = LiveWaits(), Meeting(live=False)
    for owner in (upload, "somebody", None):
        waits.note(owner, 60.0)
    assert waits.by_organization({upload: 60.0, cast(Any, 7): 60.0}) == {}


def test_what_began_long_ago_is_forgotten() -> None:
    clock = Clock()
    waits, meeting = LiveWaits(clock=clock), Meeting()
    waits.note(meeting, 10.0)
    clock.now += WINDOW_S - 1
    waits.note(meeting, 0.0)
    assert waits.by_organization({}) == {"a": 5.0}
    clock.now += 1
    assert waits.by_organization({}) == {"a": 0.0}
    clock.now += WINDOW_S
    assert waits.by_organization({}) == {}


def test_work_that_gives_way_may_wait_longer() -> None:
    waits = LiveWaits(4.0)
    waits.note(Meeting(), 8.0)
    assert waits.by_organization({}) == {"a": 2.0}
