"""When a delivery that failed is tried again."""

from __future__ import annotations

import random

LONGEST_S = 2 * 3600.0
# A receiver may ask for as much.
LONGEST_ASKED_S = 3600.0
# Nothing is sent to a receiver that is down for longer than this, so that it is found up again soon.
LONGEST_SILENCE_S = 60.0
# Of each delay, a random share: receivers that come back are not met by everything at once.
JITTER = 0.2


def retry_delay_s(attempt: int, first_s: float, asked_s: float = 0.0) -> float:
    """Return when an attempt that failed is repeated, seconds from now.

    Args:
        attempt: its number, from 1.
        first_s: the delay after the first.
        asked_s: what the receiver asked for with Retry-After; 0: nothing.
    """
    delay_s = min(first_s * 2.0 ** min(attempt - 1, 40), LONGEST_S) * _jitter()
    return max(delay_s, min(asked_s, LONGEST_ASKED_S))


def silence_s(failures: int, first_s: float, asked_s: float = 0.0) -> float:
    """Return for how long nothing is sent to a webhook, seconds, after attempts that all failed.

    Args:
        failures: so many in a row.
        first_s, asked_s: as in ``retry_delay_s``.
    """
    delay_s = min(first_s * 2.0 ** max(0, min(failures - 1, 40)), LONGEST_SILENCE_S) * _jitter()
    return max(delay_s, min(asked_s, LONGEST_ASKED_S))


def _jitter() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)
