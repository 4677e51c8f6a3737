"""Of a caller that is refused for a limit few calls are looked at, and where it asks again and again, it waits."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from server.api.refusal_pace import AT_ONCE, LOOKS, MAX_WAIT_S, RefusalPace
from server.errors import BadRequest, MeetraError, SearchOverloaded, ServerOverloaded, TooManyLiveMeetings

ONE, OTHER = UUID(int=1), UUID(int=2)
OPEN, LIST = "/OpenMeeting", "/ListMeetings"


class Calls:
    """Calls that end as a test says, and how often any of them was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.looks, self.waited_s = 0.0, 0, 0.0
        self.pace = RefusalPace(lambda: self.now_s, lambda: 0.5)
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waited_s += seconds

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


def limit() -> TooManyLiveMeetings:
    return TooManyLiveMeetings(4, "organization")


async def test_who_asks_again_is_refused_without_a_look_and_waits_where_calls_are_many(calls: Calls) -> None:
    refusals = [limit() for _ in range(1 + LOOKS)]
    assert [await calls.make(error) for error in refusals] == refusals
    # Whatever the calls would have got.
    assert [await calls.make(None) for _ in range(AT_ONCE - LOOKS)] == [refusals[-1]] * (AT_ONCE - LOOKS)
    assert (calls.looks, calls.waited_s) == (1 + LOOKS, 0)
    assert await calls.make(None) is refusals[-1]
    assert (calls.looks, calls.waited_s) == (1 + LOOKS, MAX_WAIT_S / 2)


async def test_who_goes_on_has_one_call_a_second_looked_at_until_one_succeeds(calls: Calls) -> None:
    for _ in range(2 + LOOKS):
        await calls.make(limit())
    # The second in which they came, and a part of the next one.
    calls.now_s = 1.5
    looks, refusal = calls.looks, limit()
    assert await calls.make(refusal) is refusal
    assert await calls.make(limit()) is refusal
    assert calls.looks == looks + 1
    calls.now_s = 3.0
    assert await calls.make(None) is None
    refusals = [limit() for _ in range(1 + LOOKS)]
    assert [await calls.make(error) for error in refusals] == refusals
    assert calls.waited_s == 0


async def test_who_waits_a_second_is_forgiven(calls: Calls) -> None:
    for _ in range(2 + AT_ONCE):
        await calls.make(limit())
    assert calls.waited_s == MAX_WAIT_S / 2
    calls.now_s = 2.0
    refusals = [limit() for _ in range(1 + LOOKS)]
    assert [await calls.make(error) for error in refusals] == refusals
    # Not for ever.
    for _ in range(1 + AT_ONCE - LOOKS):
        assert await calls.make(limit()) is refusals[-1]
    assert calls.waited_s == MAX_WAIT_S


async def test_who_is_refused_without_a_look_comes_again_at_a_time_of_its_own(calls: Calls) -> None:
    told = [await calls.make(ServerOverloaded("lag")) for _ in range(2 + AT_ONCE)]
    assert calls.looks == 1 + LOOKS
    assert all(isinstance(error, ServerOverloaded) and error.facts["cause"] == "lag" for error in told)
    assert len({error.retry_after_s for error in told[1 + LOOKS :] if error is not None}) > 1


async def test_the_wait_is_a_part_of_what_was_told(calls: Calls) -> None:
    for _ in range(2 + AT_ONCE):
        await calls.make(SearchOverloaded())
    assert SearchOverloaded.retry_after_s == 2
    assert calls.waited_s == 1


async def test_nobody_else_and_nothing_else_waits(calls: Calls) -> None:
    for _ in range(1 + LOOKS):
        await calls.make(limit())
    assert await calls.make(None, OTHER) is None
    assert await calls.make(None, ONE, LIST) is None
    assert calls.waited_s == 0


async def test_refusals_at_a_slower_pace_never_wait(calls: Calls) -> None:
    for _ in range(20):
        calls.now_s += 1 / LOOKS
        await calls.make(limit())
    assert (calls.looks, calls.waited_s) == (20, 0)


async def test_wrong_requests_and_successes_are_no_such_refusals(calls: Calls) -> None:
    for _ in range(20):
        await calls.make(BadRequest("name", "is empty"))
        await calls.make(None)
    assert (calls.looks, calls.waited_s) == (40, 0)


async def test_of_many_at_once_few_are_looked_at() -> None:
    pace, error = RefusalPace(part=lambda: 0.0), limit()
    with pytest.raises(TooManyLiveMeetings), pace.refusals_of(ONE, OPEN):
        raise error
    ended = await asyncio.gather(*(pace.keep(ONE, OPEN) for _ in range(50)), return_exceptions=True)
    assert ended == [None] * LOOKS + [error] * (50 - LOOKS)
