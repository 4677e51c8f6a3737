"""Moments are shown in UTC, whatever the database's zone."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from server.moments import day_of, utc_text


def test_moments_are_in_utc_to_the_second() -> None:
    assert utc_text(datetime.fromisoformat("2026-11-29T01:02:03.9+02:00")) == "2026-11-28T23:02:03+00:00"
    assert utc_text(None) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-11-23", date(2026, 11, 23), id="calendar"),
        pytest.param("20261123T140000Z", date(2026, 11, 23), id="without hyphens"),
        pytest.param("2026-11-23 23:30+09:00", date(2026, 11, 23), id="a zone does not move it"),
        pytest.param("2026-W48-1", date(2026, 11, 23), id="week"),
        pytest.param("2026-327", date(2026, 11, 23), id="ordinal"),
    ],
)
def test_the_day_of_a_date_is_the_one_written(text: str, day: date) -> None:
    assert day_of(text) == day
