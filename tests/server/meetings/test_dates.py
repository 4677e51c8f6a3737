"""Dates of meetings: ISO 8601 in its forms, and nothing that Python takes for one."""

from __future__ import annotations

import pytest

from server.meetings.dates import NotADate, validate_date


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23",
        "20261123",
        "2026-327",
        "2024-366",
        "2026-W48-1",
        "2026W481",
        "2026-11-23T14",
        "2026-11-23T14:00",
        "2026-11-23 14:00:00",
        "2026-11-23T14:00:00Z",
        "2026-11-23t14:00:00z",
        "2026-11-23T14:00:00.123456789Z",
        "2026-11-23T14:00:00,5-03",
        "2026-11-23T140000+0200",
        "2026-11-23T14:00:00+02:00",
    ],
)
def test_a_date_is_kept_as_it_was_given(text: str) -> None:
    assert validate_date(text) == text


@pytest.mark.parametrize("text", ["2026-11-23T14:00:00 02:00", "2026-11-23T14:00:00 0200"])
def test_the_plus_of_a_zone_is_put_back(text: str) -> None:
    assert validate_date(text) == text.replace(" 02", "+02")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23x14",
        "2026-11-23\x0014:00",
        "2026-11-23T",
        "2026-11-23T25:00",
        "2026-11-23T14:00:00+25:00",
        "2026-11-23T14:60",
        "2026-13-01",
        "2026-02-30",
        "2026-1123",
        "2026-366",
        "2026-000",
        "2026-W54-1",
        "0000-01-01",
        "10000-01-01",
        "٢٠٢٦-11-23",
        "2026-11-23\n",
        "1764000000",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(NotADate):
        validate_date(text)
