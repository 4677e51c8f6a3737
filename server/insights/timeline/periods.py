"""Periods of a meeting: equal windows, the last one possibly shorter."""

from __future__ import annotations

from server.insights.timeline.timeline import Window

DEFAULT_PERIOD_S = 300
MIN_PERIOD_S = 10


def max_period_s(duration_ms: int) -> int:
    """Return the longest allowed period, seconds: the meeting's length rounded up, at least the default."""
    return max(DEFAULT_PERIOD_S, -(-duration_ms // 1000))


def periods(duration_us: int, period_s: int) -> list[Window]:
    """Return consecutive windows of ``period_s`` seconds; the last ends with the meeting. At least one."""
    step = period_s * 1_000_000
    return [Window(start, min(start + step, duration_us)) for start in range(0, max(1, duration_us), step)]
