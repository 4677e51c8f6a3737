"""The periods of a meeting: equal stretches, the last one the remainder."""

from __future__ import annotations

from server.insights.timeline import Window

DEFAULT_PERIOD_S = 300
MIN_PERIOD_S = 10


def longest_period_s(duration_ms: int) -> int:
    """The longest period that may be asked for: the meeting's length in whole seconds, and always the default."""
    return max(DEFAULT_PERIOD_S, -(-duration_ms // 1000))


def periods(duration_us: int, period_s: int) -> list[Window]:
    """Windows of ``period_s`` seconds from the start; the last ends with the meeting. One at least."""
    step = period_s * 1_000_000
    return [Window(start, min(start + step, duration_us)) for start in range(0, max(1, duration_us), step)]
