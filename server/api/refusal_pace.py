"""Looks at few calls of callers that are refused for a limit, and slows down those that ask again at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import uniform
from time import monotonic
from uuid import UUID

import grpc

from server.errors import MeetraError

# Calls of a method that are looked at within a second after a refusal. Clients that obey `Retry-After` need fewer.
LOOKS = 4
# The same where more than those came in the second before, and none succeeded.
LOOKS_OF_THE_PERSISTENT = 1
# Calls of a method within a second that are answered at once after a refusal: a hundred clients of an organization that
# obey make 10 in the mean, and seldom 20.
AT_ONCE = 20
WINDOW_S = 1.0
# Less than what a server that stops gives its calls to end.
MAX_WAIT_S = 5.0


@dataclass(slots=True)
class _Window:
    """The calls of a method by an organization that was refused one, within a second."""

    ends: float
    last: MeetraError
    """The latest refusal."""
    looks: int = LOOKS
    calls: int = 0


def _most() -> float:
    return uniform(0.5, 1.0)


class RefusalPace:
    """How often calls of an organization are looked at that are refused.

    To find out that an organization has its limit costs as much as many a call that succeeds: the audit log and
    questions to the database. So after a refusal some calls of that method are looked at within a second, until a call
    succeeds or none is made for a second. The others are refused for the same reason and without a look; where they are
    many, each after part of the time that it should have waited: that keeps callers busy who ask again as soon as they
    are refused.

    Args:
        clock: seconds that only rise.
        part: of the time to wait, 0 to 1, different for each call, so that not all are answered at one moment.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, part: Callable[[], float] = _most) -> None:
        self._clock, self._part = clock, part
        self._windows: dict[tuple[UUID, str], _Window] = {}

    async def keep(self, organization_id: UUID, method: str) -> None:
        """Return where the call is to be looked at, else raise the last refusal, after a wait where they are many."""
        window = self._window(organization_id, method)
        if window is None:
            return
        now = self._clock()
        if now >= window.ends:
            window.looks = LOOKS_OF_THE_PERSISTENT if window.calls > window.looks else LOOKS
            window.ends, window.calls = now + WINDOW_S, 0
        window.calls += 1
        if window.calls > window.looks:
            refusal = window.last.again()
            if window.calls > AT_ONCE:
                await asyncio.sleep(self._part() * min(refusal.retry_after_s or 0, MAX_WAIT_S))
            raise refusal

    @contextmanager
    def refusals_of(self, organization_id: UUID, method: str) -> Iterator[None]:
        """Take note of how the call ends that runs in this context: refused for a limit that time may lift, or not."""
        try:
            yield
        except MeetraError as error:
            if error.grpc_status is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after_s:
                self._note(organization_id, method, error)
            raise
        self._windows.pop((organization_id, method), None)

    def _window(self, organization_id: UUID, method: str) -> _Window | None:
        """Return the window of now, or one that has just ended; None a second later."""
        window = self._windows.get((organization_id, method))
        return window if window is not None and self._clock() < window.ends + WINDOW_S else None

    def _note(self, organization_id: UUID, method: str, error: MeetraError) -> None:
        if (window := self._window(organization_id, method)) is None:
            now = self._clock()
            self._windows = {key: one for key, one in self._windows.items() if now < one.ends + WINDOW_S}
            window = self._windows[organization_id, method] = _Window(now + WINDOW_S, error)
        window.last = error
