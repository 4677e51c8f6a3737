"""Filters as conditions of a statement."""

from __future__ import annotations

from datetime import UTC, datetime

from server.storage.search_filter import SearchFilter, meeting_conditions, sentence_conditions


def test_what_is_not_given_is_no_condition() -> None:
    values: list[object] = [1]
    assert meeting_conditions(SearchFilter(), values) == sentence_conditions(SearchFilter(), ["english"], values) == ""
    assert values == [1]


def test_values_are_parameters_and_never_text() -> None:
    values: list[object] = ["organization"]
    hostile = "'; DROP TABLE meetings; --"
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    wanted = SearchFilter(
        file_hash=hostile,
        first_day=moment.date(),
        held_from=moment,
        held_before=moment,
        speaker=hostile,
        topic_key=hostile,
        language=hostile,
    )
    text = meeting_conditions(wanted, values) + sentence_conditions(wanted, ["english"], values)
    assert hostile not in text
    assert [place for place in range(1, 9) if f"${place}" in text] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert values == ["organization", hostile, moment.date(), moment, moment, hostile, hostile, hostile]
