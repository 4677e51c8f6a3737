"""Fields that several services share: bounds, and refusals that name the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api import validation
from server.errors import BadRequest

HASH = "0123456789abcdef" * 4


def refused(check: Callable[[], object]) -> BadRequest:
    with pytest.raises(BadRequest) as raised:
        check()
    return raised.value


def test_a_hash_is_taken_in_any_case_and_kept_in_lower_case() -> None:
    assert validation.validate_file_hash(HASH.upper()) == HASH


@pytest.mark.parametrize(
    "value", ["", "x", HASH[:-1], HASH + "0", HASH[:-1] + "g", HASH + "\n", " " + HASH[1:], "ı" * 64]
)
def test_what_is_no_hash_is_refused(value: str) -> None:
    assert refused(lambda: validation.validate_file_hash(value)).parameter == "file-hash"


@given(st.uuids())
def test_a_uuid_is_taken_in_its_canonical_form(value: UUID) -> None:
    assert validation.parse_uuid("id", str(value)) == value
    assert validation.parse_uuid("id", str(value).upper()) == value
    for other in (value.hex, f"{{{value}}}", value.urn, f"{value} ", f"{value}\n"):
        assert refused(lambda o=other: validation.parse_uuid("into", o)).parameter == "into"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "kept"), [("Ada", "Ada"), ("  Ada Lovelace\t", "Ada Lovelace"), ("名" * 200, "名" * 200)]
)
def test_a_name_is_trimmed(value: str, kept: str) -> None:
    assert validation.validate_alias(value) == kept


@pytest.mark.parametrize("value", ["", "   ", "x" * 201, "a\x00b", "a\u202eb"])
def test_a_name_that_nobody_can_read_is_refused(value: str) -> None:
    assert refused(lambda: validation.validate_alias(value)).parameter == "alias"


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "field"), [(-1, 5, "start"), (5, 5, "end"), (5, 4, "end"), (0, 0, "end")]
)
def test_a_span_has_a_length(start_ms: int, end_ms: int, field: str) -> None:
    assert validation.validate_span(0, 1) == (0, 1)
    assert refused(lambda: validation.validate_span(start_ms, end_ms)).parameter == field


@pytest.mark.parametrize(
    ("period_s", "duration_ms", "taken"),
    [
        (9, 60_000, False),
        (10, 60_000, True),
        (300, 60_000, True),
        (301, 60_000, False),
        (301, 301_000, True),
        (3_600, 3_600_000, True),
        (3_602, 3_600_000, False),
        (-10, 3_600_000, False),
    ],
)
def test_a_period_is_ten_seconds_to_the_whole_meeting(period_s: int, duration_ms: int, taken: bool) -> None:
    if taken:
        assert validation.validate_period(period_s, duration_ms) == period_s
    else:
        assert refused(lambda: validation.validate_period(period_s, duration_ms)).parameter == "period_seconds"


def test_pages_have_a_size_and_a_default() -> None:
    assert [validation.validate_page_size(size) for size in (0, 1, 1000)] == [50, 1, 1000]
    for size in (-1, 1001, 2**31 - 1):
        assert refused(lambda s=size: validation.validate_page_size(s)).parameter == "page_size"  # type: ignore[misc]


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])), st.uuids())
def test_a_page_token_leads_back_to_where_it_was_made(moment: datetime, id_: UUID) -> None:
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        # Of a moment in the first or last hours that there are; no meeting was made then.
        assert refused(lambda: validation.parse_page_token(validation.format_page_token(moment, id_)))
        return
    assert validation.parse_page_token(validation.format_page_token(moment, id_)) == (expected, id_)


def test_the_first_page_needs_no_token() -> None:
    assert validation.parse_page_token("") is None


@given(st.text(min_size=1))
def test_a_page_token_of_somebody_s_own_is_refused(value: str) -> None:
    assert refused(lambda: validation.parse_page_token(value)).parameter == "page_token"


def test_a_moment_without_a_zone_is_refused() -> None:
    assert refused(lambda: validation.parse_page_token(validation.format_page_token(datetime(2026, 1, 1), UUID(int=1))))
