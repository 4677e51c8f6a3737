"""A caller that is refused for a limit and asks again at once waits for its next refusals, and only it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from server.api.refusal_pace import REFUSALS_PER_WINDOW, RefusalPace
from server.errors import BadRequest, MeetraError, TooManyLiveMeetings

ONE, OTHER = UUID(int=1), UUID(int=2)
OPEN, LIST = "/OpenMeeting", "/ListMeetings"


class Calls:
    """Calls that end as a test says, and how often any of them was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.looks, self.waited_s = 0.0, 0, 0.0
        self.pace = RefusalPace(lambda: self.now_s)
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waited_s += seconds
        self.now_s += seconds

    async def make(self, error: MeetraError | None, organization: UUID = ONE, method: str = OPEN) -> MeetraError | None:
        """Makes a call that ends as this error where it is looked at; returns how it ended."""
        try:
            await self.pace.keep(organization, method)
            with self.pace.refusals_of(organization, method):
                self.looks += 1
                if error is not None:
                    raise error
        except MeetraError as ended:
            return ended
        return None


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


async def test_who_asks_again_at_once_waits_and_is_refused_without_a_look(calls: Calls) -> None:
    refusals = [TooManyLiveMeetings(4, "organization") for _ in range(REFUSALS_PER_WINDOW)]
    assert [await calls.make(error) for error in refusals] == refusals
    assert calls.waited_s == 0
    calls.now_s += 0.25
    # Whatever the call would have got.
    assert await calls.make(None) is refusals[-1]
    assert (calls.looks, calls.waited_s) == (REFUSALS_PER_WINDOW, 0.75)
    # The second is over.
    assert await calls.make(None) is None


async def test_nobody_else_and_nothing_else_waits(calls: Calls) -> None:
    for _ in range(REFUSALS_PER_WINDOW):
        await calls.make(TooManyLiveMeetings(4, "organization"))
    assert await calls.make(None, OTHER) is None
    assert await calls.make(None, ONE, LIST) is None
    assert calls.waited_s == 0


async def test_refusals_at_a_slower_pace_never_wait(calls: Calls) -> None:
    for _ in range(20):
        calls.now_s += 1 / REFUSALS_PER_WINDOW
        await calls.make(TooManyLiveMeetings(4, "organization"))
    assert (calls.looks, calls.waited_s) == (20, 0)


async def test_wrong_requests_and_successes_are_no_such_refusals(calls: Calls) -> None:
    for _ in range(20):
        await calls.make(BadRequest("name", "is empty"))
        await calls.make(None)
    assert (calls.looks, calls.waited_s) == (40, 0)


async def test_all_that_wait_are_refused_together() -> None:
    pace = RefusalPace()
    error = TooManyLiveMeetings(4, "organization")
    for _ in range(REFUSALS_PER_WINDOW):
        with pytest.raises(TooManyLiveMeetings), pace.refusals_of(ONE, OPEN):
            raise error
    ended = await asyncio.gather(*(pace.keep(ONE, OPEN) for _ in range(50)), return_exceptions=True)
    assert ended == [error] * 50
