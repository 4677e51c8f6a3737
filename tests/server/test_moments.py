"""Moments are shown in UTC, whatever the database's zone."""

from __future__ import annotations

from datetime import datetime

from server.moments import utc_text


def test_moments_are_in_utc_to_the_second() -> None:
    assert utc_text(datetime.fromisoformat("2026-11-29T01:02:03.9+02:00")) == "2026-11-28T23:02:03+00:00"
    assert utc_text(None) is None
