"""Who may begin further live meetings, by how late the work of those begins that are there.

Not by a number: how many live sessions a machine holds depends on what is said in them, and on what else it does. The
number that it held is only the start from which more are tried after it was too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median_low

# Work that begins late by less than this share of the bound is in time.
CALM_SHARE = 0.5
# For how long work must begin in time until further sessions are taken, seconds.
CALM_S = 3.0
# How often there may be more of them while work begins in time, seconds, and by what share; by one at least.
GROW_EVERY_S, GROW_SHARE = 10.0, 0.1


class LiveRoom:
    """Whether an organization may begin further live sessions.

    It may not while work begins later than the bound. After that it may have as many as it had when work began in time
    again, and more of them every few seconds, so that those who wait do not all come at once.
    """

    def __init__(self, max_lag_s: float, floor: int, most: int) -> None:
        """
        Args:
            max_lag_s: the bound, seconds.
            floor: as many sessions are always in order.
            most: as many are never reached: a limit of that size is none.
        """
        self._max_lag_s, self._floor, self._most = max_lag_s, floor, most
        self._late = False
        self._limit = float(most)
        self._calm_since: float | None = None
        self._grown_at = 0.0
        self._sessions = 0

    @property
    def full(self) -> bool:
        """Whether it may begin none now."""
        return self._late or self._sessions >= self._limit

    @property
    def remembers(self) -> bool:
        """Whether it was too much lately: then more sessions come one after the other."""
        return self._late or self._limit < self._most

    def look(self, now: float, lag_s: float, sessions: int) -> None:
        """Take note of how late work begins, seconds, with so many live sessions of the organization."""
        self._sessions = sessions
        if lag_s > self._max_lag_s * CALM_SHARE:
            self._calm_since = None
            self._late = self._late or lag_s > self._max_lag_s
            return
        self._calm_since = now if self._calm_since is None else self._calm_since
        if self._late and now - self._calm_since >= CALM_S:
            self._late = False
            self._limit, self._grown_at = max(self._floor, sessions) + 1, now
        elif not self._late and self._limit < self._most and now - self._grown_at >= GROW_EVERY_S:
            self._limit, self._grown_at = self._limit + max(1.0, GROW_SHARE * self._limit), now


class LiveRooms:
    """The room of each organization.

    Organizations take turns at the models, so the sessions of one may be late while those of others are not. What
    counts for an organization is how late its own work begins, and that of most organizations with no more sessions
    than it would have with one more. Who has many sessions shuts nobody out, and where even few are late nobody has
    room.
    """

    def __init__(self, max_lag_s: float, floor: int, most: int) -> None:
        """
        Args:
            max_lag_s: how late work may begin, seconds; 0: no bound.
            floor: so many live sessions, of all organizations together, are always in order: a machine that is too slow
                for a single meeting holds one all the same.
            most: the limit of live sessions.
        """
        self._max_lag_s, self._floor, self._most = max_lag_s, floor, most
        # Without a name: of an organization that has no live session.
        self._rooms: dict[str | None, LiveRoom] = {}
        self._enough = False

    def look(self, now: float, lags: Mapping[str, float], sessions: Mapping[str, int]) -> None:
        """Take note of how things are.

        Args:
            now: seconds that only rise.
            lags: of organizations, how late work of their live sessions begins, seconds; none: in time.
            sessions: live sessions of each organization that has some.
        """
        if not self._max_lag_s:
            return
        self._enough = sum(sessions.values()) >= self._floor
        known: dict[str | None, int] = {None: 0}
        known.update(sessions)
        # One whose last session has ended is remembered for as long as its next ones would be too many at once.
        known |= {name: 0 for name, room in self._rooms.items() if name not in known and room.remembers}
        self._rooms = {name: self._rooms.get(name) or self._room() for name in known}
        for name, count in known.items():
            comparable = [lags.get(other, 0.0) for other, has in sessions.items() if has <= count + 1]
            own_s = lags.get(name, 0.0) if name is not None and count else 0.0
            self._rooms[name].look(now, max(own_s, median_low(comparable or [0.0])), count)

    def full(self, organization: str | None) -> bool:
        """Return whether an organization may begin no live session now; None: one that has none."""
        room = self._rooms.get(organization) or self._rooms.get(None)
        return self._enough and room is not None and room.full

    @property
    def organizations(self) -> list[str]:
        """The organizations that have live sessions, or had too many of them a moment ago."""
        return [name for name in self._rooms if name is not None]

    def _room(self) -> LiveRoom:
        return LiveRoom(self._max_lag_s, self._floor, self._most)
