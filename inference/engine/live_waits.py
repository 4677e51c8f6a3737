"""How late the work of live sessions begins at a model."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median

# Work that began so long ago, seconds, says nothing of now.
WINDOW_S = 10


@dataclass(slots=True)
class _Waited:
    """Of one session within a second."""

    organization: str
    late_s: float = 0.0
    works: int = 0


class LiveWaits:
    """The waits of live sessions' work before one model in the last seconds. Use it on one thread only."""

    def __init__(self, allowance: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            allowance: how many times as long as other work this model's may wait; its waits count divided by that.
            clock: seconds that only rise.
        """
        self._allowance, self._clock = allowance, clock
        # By identity: sessions that have ended are not kept for it.
        self._seconds: deque[tuple[int, dict[int, _Waited]]] = deque()

    def note(self, owner: Hashable, late_s: float) -> None:
        """Note that work began, so many seconds after it was due. Work of no live session does not count."""
        if not _is_live(owner):
            return
        second = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, {}))
            self._forget(second)
        waited = self._seconds[-1][1].setdefault(id(owner), _Waited(_organization(owner)))
        waited.late_s += late_s
        waited.works += 1

    def by_organization(self, waiting: Mapping[Hashable, float]) -> dict[str, float]:
        """Return the median of the sessions of each organization, seconds: how late their work begins, in the mean.

        The median, so that a session that waits for work of its own, sent faster than in real time, counts as one of
        several.

        Args:
            waiting: by session, for how long the oldest work that waits now is due, seconds. Where that is longer than
                the mean of what began, it counts instead.
        """
        self._forget(int(self._clock()))
        began: defaultdict[int, list[_Waited]] = defaultdict(list)
        for _, sessions in self._seconds:
            for key, waited in sessions.items():
                began[key].append(waited)
        late = {
            key: (ones[0].organization, sum(one.late_s for one in ones) / sum(one.works for one in ones))
            for key, ones in began.items()
        }
        for owner, late_s in waiting.items():
            if _is_live(owner):
                _, known_s = late.get(id(owner), ("", 0.0))
                late[id(owner)] = (_organization(owner), max(known_s, late_s))
        by_organization: defaultdict[str, list[float]] = defaultdict(list)
        for organization, late_s in late.values():
            by_organization[organization].append(late_s / self._allowance)
        return {organization: median(ones) for organization, ones in by_organization.items()}

    def _forget(self, second: int) -> None:
        while self._seconds and self._seconds[0][0] <= second - WINDOW_S:
            self._seconds.popleft()


def _is_live(owner: Hashable) -> bool:
    return bool(getattr(owner, "live", False))


def _organization(owner: Hashable) -> str:
    return str(getattr(owner, "organization", ""))
