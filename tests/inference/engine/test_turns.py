"""Whose work comes next: turns of owners and parties, and bulk work after the rest."""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from inference.engine.room import Room
from inference.engine.turns import BULK_WAITS_AT_MOST_S, Turns


@pytest.fixture
def turns() -> Turns:
    """``bulk.a.1`` is a session with bulk work, of the organization ``a``."""
    return Turns(lambda owner: str(owner).split(".")[1], lambda owner: str(owner).startswith("bulk"), Room(1))


def due(*owners: str, waited_s: float = 0.0) -> dict[Hashable, float]:
    return dict.fromkeys(owners, waited_s)


def order(turns: Turns, waited_s: dict[Hashable, float]) -> list[Hashable]:
    return [owner for owner, _ in turns.in_order(waited_s)]


def test_parties_take_turns_however_many_owners_they_have(turns: Turns) -> None:
    waiting = due("live.a.1", "live.a.2", "live.b.1", "live.a.3")
    assert order(turns, waiting) == ["live.a.1", "live.b.1", "live.a.2", "live.a.3"]
    turns.served("live.a.1")
    assert order(turns, waiting) == ["live.b.1", "live.a.1", "live.a.2", "live.a.3"]


def test_bulk_work_comes_after_the_rest_and_yields(turns: Turns) -> None:
    waiting = due("bulk.a.1", "bulk.b.1", "live.a.2", "live.b.2")
    assert turns.in_order(waiting) == [
        ("live.a.2", False),
        ("live.b.2", False),
        ("bulk.a.1", True),
        ("bulk.b.1", True),
    ]


def test_bulk_work_yields_for_a_bounded_time(turns: Turns) -> None:
    waiting = due("live.b.1") | due("bulk.a.1", waited_s=BULK_WAITS_AT_MOST_S)
    assert turns.in_order(waiting) == [("live.b.1", False), ("bulk.a.1", False)]
    turns.served("live.b.1")
    assert order(turns, waiting) == ["bulk.a.1", "live.b.1"]


def test_due_work_comes_before_any_that_is_not(turns: Turns) -> None:
    waiting = due("live.b.1", waited_s=-0.1) | due("bulk.a.1")
    assert turns.in_order(waiting) == [("bulk.a.1", True), ("live.b.1", False)]


def test_who_has_no_work_is_forgotten(turns: Turns) -> None:
    assert turns.in_order({}) == []
    turns.served("live.a.1")
    assert order(turns, due("live.b.1")) == ["live.b.1"]
    assert list(turns._parties) == ["b"]
