"""Moments, as callers see them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import overload

_ORDINAL = re.compile(r"(\d{4})-?(\d{3})")


@overload
def utc_text(moment: datetime) -> str: ...


@overload
def utc_text(moment: datetime | None) -> str | None: ...


def utc_text(moment: datetime | None) -> str | None:
    """Return a moment in ISO 8601, UTC, to the second; None for none."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def day_of(text: str) -> date:
    """Return the day of an ISO 8601 date or date-time, as it is written there: a zone does not move it.

    Raises ValueError for another text.
    """
    day = re.split("[Tt ]", text, maxsplit=1)[0]
    if ordinal := _ORDINAL.fullmatch(day):
        return date(int(ordinal[1]), 1, 1) + timedelta(days=int(ordinal[2]) - 1)
    return date.fromisoformat(day)
