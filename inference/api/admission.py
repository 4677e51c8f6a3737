"""Which sessions may open: live meetings and uploads each keep a share, and nobody takes what all need."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from inference.api.live_room import LiveRooms
from inference.models import ModelSet
from inference.monitoring import (
    LIVE,
    LIVE_FULL,
    LIVE_LAG,
    SESSIONS,
    SESSIONS_LIMIT,
    SESSIONS_REFUSED,
    UPLOAD,
    kind_of,
)
from monitoring import MemoryReserve

MAX_SESSIONS_CPU, MAX_SESSIONS_GPU = 128, 1024
# Fewer sessions than these are never too many, however slow the machine is and whatever else it does: one that cannot
# keep up with them tells late what is said.
ALWAYS_IN_ORDER = 4


class NoCapacity(Exception):
    """The session may not open now; the message says which limit is reached."""

    def __init__(self, limit: str, message: str) -> None:
        """``limit``: which one is reached, for the count: ``all``, ``kind``, ``organization`` or ``memory``."""
        super().__init__(f"{message}; retry later")
        SESSIONS_REFUSED.labels(limit).inc()


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Limits of the sessions that are open at once."""

    sessions: int
    """Maximum number of sessions."""
    reserved_share: float = 0.25
    """Share of ``sessions`` that only live meetings, and as many that only uploads may use, 0..0.5."""
    organization_share: float = 0.5
    """Largest share that an organization may hold of the sessions that the others leave, above 0 to 1."""
    max_live_lag_s: float = 0.0
    """How late the work of live sessions may begin until no further live meetings should be opened, seconds; 0: any."""
    memory_reserve_bytes: int = 0
    """Memory of the machine that stays free, bytes; 0: none."""

    @property
    def sessions_of_kind(self) -> int:
        """Maximum number of live sessions, and of uploads' sessions."""
        return self.sessions - int(self.reserved_share * self.sessions)


def default_max_sessions(models: ModelSet) -> int:
    """Return how many sessions may be open where nobody has set it: more than the device is likely to hold."""
    return MAX_SESSIONS_GPU if models.diarizer is not None and models.diarizer.on_gpu else MAX_SESSIONS_CPU


class SessionAdmission:
    """The open sessions of a replica, by organization and kind."""

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._memory = MemoryReserve(limits.memory_reserve_bytes)
        self._rooms = LiveRooms(limits.max_live_lag_s, ALWAYS_IN_ORDER, limits.sessions)
        self._open: Counter[tuple[str, bool]] = Counter()
        SESSIONS_LIMIT.labels("all").set(limits.sessions)
        for kind in (LIVE, UPLOAD):
            SESSIONS_LIMIT.labels(kind).set(limits.sessions_of_kind)
            SESSIONS.labels(kind).set(0)

    @contextmanager
    def admit(self, organization: str, *, live: bool) -> Iterator[None]:
        """Count a session until the context ends. Raises NoCapacity.

        Args:
            organization: whose audio it is; empty: nobody's, which only the limits of all sessions bind.
            live: of a live meeting, not of an upload.
        """
        self._check(organization, live)
        key = (organization, live)
        self._open[key] += 1
        try:
            with SESSIONS.labels(kind_of(live=live)).track_inprogress():
                yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    @property
    def live_sessions(self) -> dict[str, int]:
        """The number of live sessions of each organization that has some."""
        return {organization: count for (organization, live), count in self._open.items() if live}

    @property
    def memory_is_short(self) -> bool:
        """Whether no session opens because too little memory of the machine is free."""
        return self._open.total() >= ALWAYS_IN_ORDER and self._memory.is_short()

    def look(self, now: float, lags: Mapping[str, float]) -> None:
        """Take note of how late the work of live sessions begins, of each organization, seconds."""
        self._rooms.look(now, lags, self.live_sessions)
        LIVE_LAG.set(max(lags.values(), default=0.0))
        LIVE_FULL.set(self.live_full(None) or any(map(self.live_full, self.live_sessions)))

    @property
    def live_organizations(self) -> list[str]:
        """The organizations that have live sessions, or had too many of them a moment ago."""
        return list({**dict.fromkeys(self.live_sessions), **dict.fromkeys(self._rooms.organizations)})

    def live_full(self, organization: str | None) -> bool:
        """Return whether an organization should open no further live meeting now; None: one that has none.

        Its sessions open all the same: they are of meetings that were accepted.
        """
        return self._rooms.full(organization)

    def _check(self, organization: str, live: bool) -> None:
        limits, total = self._limits, self._open.total()
        if self.memory_is_short:
            raise NoCapacity("memory", "the machine has too little free memory")
        same_kind = sum(count for (_, kind), count in self._open.items() if kind is live)
        if total >= limits.sessions:
            raise NoCapacity("all", f"all {limits.sessions} sessions are in use")
        if same_kind >= limits.sessions_of_kind:
            work = "live meetings" if live else "uploads"
            raise NoCapacity("kind", f"all {limits.sessions_of_kind} sessions for {work} are in use")
        own = self._open[organization, live]
        # Of what the others leave, not of all: whoever comes last finds a session, however many took theirs before.
        left = own + min(limits.sessions - total, limits.sessions_of_kind - same_kind)
        most = max(1, math.ceil(limits.organization_share * left))
        if organization and own >= most:
            raise NoCapacity("organization", f"the organization has its share of {most} sessions")
