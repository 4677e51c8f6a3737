"""Which sessions may open: kinds keep their shares, and organizations leave some to others."""

from __future__ import annotations

from contextlib import ExitStack
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.api.admission import (
    ALWAYS_IN_ORDER,
    NoCapacity,
    SessionAdmission,
    SessionLimits,
    default_max_sessions,
)
from inference.api.messages import live_load_messages
from inference.models import ModelSet
from tests.monitoring.counting import counting, samples


class Replica:
    """The sessions of a replica, opened one after another and held."""

    def __init__(self, limits: SessionLimits) -> None:
        self._admission, self._held = SessionAdmission(limits), ExitStack()

    def opens(self, organization: str, *, live: bool = True) -> bool:
        """Opens a session, if that is allowed."""
        try:
            self._held.enter_context(self._admission.admit(organization, live=live))
        except NoCapacity:
            return False
        return True

    def fill(self, organization: str, *, live: bool = True) -> int:
        """Opens as many as are allowed, and returns how many those were."""
        opened = 0
        while self.opens(organization, live=live):
            opened += 1
        return opened

    def end_all(self) -> None:
        """Ends all sessions."""
        self._held.close()


def test_live_meetings_and_uploads_each_keep_their_share() -> None:
    limits = SessionLimits(128, reserved_share=0.25, organization_share=1)
    for first in (True, False):
        replica = Replica(limits)
        assert replica.fill("a", live=first) == 96
        assert replica.fill("a", live=not first) == 32
        assert replica.fill("") == 0


def test_no_organization_takes_what_all_need() -> None:
    replica = Replica(SessionLimits(128))
    # Half of what there is for live meetings; the next half of what is left, and so on: somebody new finds a session.
    assert [replica.fill(name) for name in "abcdefgh"] == [48, 24, 12, 6, 3, 2, 1, 0]
    assert replica.fill("h", live=False) == 16
    # Nor do its own live meetings keep its uploads out.
    assert replica.fill("a", live=False) == 8


def test_a_session_without_an_organization_needs_only_room() -> None:
    assert Replica(SessionLimits(8)).fill("") == 6


def test_one_session_is_for_whoever_comes_first() -> None:
    for live in (True, False):
        replica = Replica(SessionLimits(1))
        assert replica.opens("a", live=live)
        assert not replica.opens("b", live=not live)
    assert not Replica(SessionLimits(0)).opens("a")


def test_sessions_that_end_make_room() -> None:
    replica = Replica(SessionLimits(16))
    opened = replica.fill("a")
    replica.end_all()
    assert replica.fill("a") == opened


@pytest.mark.parametrize(
    ("held", "organization", "live", "refusal"),
    [
        ([("a", True), ("b", True)], "c", True, "all 2 sessions are in use"),
        ([("", False), ("", False), ("", False)], "b", False, "all 3 sessions for uploads are in use"),
        ([("a", True), ("a", True)], "a", True, "the organization has its share of 2 sessions"),
    ],
)
def test_a_refusal_says_which_limit_is_reached(
    held: list[tuple[str, bool]], organization: str, live: bool, refusal: str
) -> None:
    admission = SessionAdmission(SessionLimits(2 if len({name for name, _ in held}) == 2 else 4))
    with ExitStack() as stack:
        for name, kind in held:
            stack.enter_context(admission.admit(name, live=kind))
        with pytest.raises(NoCapacity, match=f"^{refusal}; retry later$"), admission.admit(organization, live=live):
            pass


@given(
    st.integers(1, 40),
    st.floats(0, 0.5),
    st.floats(0.01, 1),
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=100),
)
def test_limits_hold_whoever_comes(
    sessions: int, reserved: float, share: float, wanted: list[tuple[str, bool]]
) -> None:
    limits = SessionLimits(sessions, reserved, share)
    replica = Replica(limits)
    opened = [one for one in wanted if replica.opens(one[0], live=one[1])]
    assert len(opened) <= sessions
    for live in (True, False):
        assert sum(kind is live for _, kind in opened) <= limits.sessions_of_kind
    # The first is never refused, whatever the shares.
    assert opened[:1] == wanted[:1]


def test_a_gpu_takes_more_sessions_and_a_refusal_tells_how_many_there_are() -> None:
    def with_diarizer(diarizer: object) -> ModelSet:
        return cast(ModelSet, SimpleNamespace(diarizer=diarizer))

    on_cpu, on_gpu = (SimpleNamespace(on_gpu=on_gpu) for on_gpu in (False, True))
    assert [default_max_sessions(with_diarizer(one)) for one in (None, on_cpu, on_gpu)] == [128, 128, 1024]
    admission = SessionAdmission(SessionLimits(1024, reserved_share=0))
    with ExitStack() as held:
        for _ in range(1024):
            held.enter_context(admission.admit("", live=True))
        with pytest.raises(NoCapacity, match="all 1024 sessions are in use; retry later"):
            held.enter_context(admission.admit("", live=True))


def test_with_little_free_memory_no_further_session_opens_but_the_first_few_do() -> None:
    replica = Replica(SessionLimits(128, memory_reserve_bytes=2**60))
    assert replica.fill("a", live=False) == ALWAYS_IN_ORDER
    assert not replica.opens("b")
    assert Replica(SessionLimits(8, 0, 1, memory_reserve_bytes=1)).fill("a") == 8


def test_late_sessions_are_told_to_whoever_opens_meetings_and_refuse_no_session() -> None:
    admission = SessionAdmission(SessionLimits(128, max_live_lag_s=5))
    with ExitStack() as held, counting("meetra_engine_live") as counted:
        for _ in range(ALWAYS_IN_ORDER):
            held.enter_context(admission.admit("a", live=True))
        held.enter_context(admission.admit("b", live=False))
        admission.look(0, {"a": 7.0})
        assert (admission.live_full("a"), admission.live_full("b"), admission.live_full(None)) == (True, False, False)
        assert [
            (load.organization, load.sessions, load.lag_us, load.full)
            for load in live_load_messages(admission, {"a": 7.0})
        ] == [("a", ALWAYS_IN_ORDER, 7_000_000, True)]
        held.enter_context(admission.admit("a", live=True))
        admission.look(1, {"a": 0.0})
        admission.look(9, {"a": 0.0})
    assert counted == {}
    assert samples("meetra_engine_live_full") == {"meetra_engine_live_full": 0}
    admission.look(10, {"a": 3.0})
    assert samples("meetra_engine_live_lag") == {"meetra_engine_live_lag_seconds": 3}
    admission.look(11, {})
