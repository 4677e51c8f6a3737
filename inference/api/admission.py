"""Which sessions may open: live meetings and uploads each keep a share, and nobody takes what all need."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inference.models import ModelSet
from inference.monitoring import LIVE, SESSIONS, SESSIONS_LIMIT, SESSIONS_REFUSED, UPLOAD, kind_of

MAX_SESSIONS_CPU, MAX_SESSIONS_GPU = 128, 1024


class NoCapacity(Exception):
    """The session may not open now; the message says which limit is reached."""

    def __init__(self, limit: str, message: str) -> None:
        """``limit``: which one is reached, for the count: ``all``, ``kind`` or ``organization``."""
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

    def _check(self, organization: str, live: bool) -> None:
        limits, total = self._limits, self._open.total()
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
