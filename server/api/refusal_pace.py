"""Slows down callers that are refused for a limit and ask again at once instead of when they were told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import grpc

from server.errors import MeetraError

# Of one method, before the organization has to wait. Far more than clients need that obey `Retry-After`.
REFUSALS_PER_WINDOW = 4
WINDOW_S = 1.0


@dataclass(slots=True)
class _Window:
    """The refusals of an organization's calls of one method, for a second from the first of them."""

    ends: float
    last: MeetraError
    refusals: int = 0


class RefusalPace:
    """How often calls of an organization are looked at that are refused.

    To find out that an organization has its limit costs as much as many a call that succeeds: the audit log and
    questions to the database. After some refusals within a second, the method's next calls are refused once it is
    over, for the same reason and without a look.

    Args:
        clock: seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[UUID, str], _Window] = {}

    async def keep(self, organization_id: UUID, method: str) -> None:
        """Return where the call is to be looked at, else wait and raise the last refusal."""
        window = self._windows.get((organization_id, method))
        if window is None or window.refusals < REFUSALS_PER_WINDOW:
            return
        if (left := window.ends - self._clock()) > 0:
            await asyncio.sleep(left)
            raise window.last.with_traceback(None)

    @contextmanager
    def refusals_of(self, organization_id: UUID, method: str) -> Iterator[None]:
        """Count the call that runs in this context, if it ends as refused for a limit that time may lift."""
        try:
            yield
        except MeetraError as error:
            if error.grpc_status is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after_s:
                self._count(organization_id, method, error)
            raise

    def _count(self, organization_id: UUID, method: str, error: MeetraError) -> None:
        now = self._clock()
        self._windows = {key: window for key, window in self._windows.items() if window.ends > now}
        window = self._windows.setdefault((organization_id, method), _Window(now + WINDOW_S, error))
        window.last = error
        window.refusals += 1
