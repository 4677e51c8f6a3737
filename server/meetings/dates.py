"""Validation of meeting dates in ISO 8601."""

from __future__ import annotations

import re
from datetime import date, time

# Calendar, week and ordinal dates, with or without hyphens.
_DATE = r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(?:-?[1-7])?|\d{4}-?\d{3}"
_TIME = r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?"
_ZONE = r"[Zz]|[+-]\d{2}(?::?\d{2})?"
# A space in place of the zone's plus: the result of an unescaped `+` in a form-encoded query.
_MOMENT = re.compile(rf"({_DATE})(?:[Tt ]({_TIME})({_ZONE}| \d{{2}}:?\d{{2}})?)?", re.ASCII)
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})")
DATE_NEEDED = "must be an ISO 8601 date such as 2026-11-23 or 2026-11-23T14:00:00Z"


class NotADate(ValueError):
    """The text is not an ISO 8601 date or date-time."""


def validate_date(text: str) -> str:
    """Validate an ISO 8601 date or date-time and return it unchanged. Raises NotADate.

    Only a zone whose plus was decoded to a space gets it back.
    """
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise NotADate(text)
    day, clock, zone = parts[1], parts[2], (parts[3] or "").replace(" ", "+")
    try:
        _check_day(day)
        if clock is not None:
            # Python parses at most six fractional digits.
            time.fromisoformat(re.sub(r"([.,]\d{6})\d+", r"\1", clock) + zone.upper())
    except ValueError:
        raise NotADate(text) from None
    return text[: len(text) - len(zone)] + zone


def _check_day(day: str) -> None:
    ordinal = _ORDINAL.fullmatch(day)
    if ordinal is None:
        date.fromisoformat(day)
        return
    year, number = int(ordinal[1]), int(ordinal[2])
    if not 1 <= number <= date(year, 12, 31).timetuple().tm_yday:
        raise NotADate(day)
