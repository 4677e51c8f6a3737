"""Moments, as callers see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def utc_text(moment: datetime) -> str: ...


@overload
def utc_text(moment: datetime | None) -> str | None: ...


def utc_text(moment: datetime | None) -> str | None:
    """Return a moment in ISO 8601, UTC, to the second; None for none."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
