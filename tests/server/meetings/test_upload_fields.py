"""What an uploader says of a recording: checked field by field, each refusal naming its field."""

from __future__ import annotations

import pytest

from server.errors import BadRequest
from server.meetings.upload_fields import validate_details


@pytest.mark.parametrize(
    ("text", "count"), [("", None), ("0", None), ("1", 1), ("64", 64), (" 7 ", 7), ("0000000064", 64)]
)
def test_a_number_of_speakers_is_read(text: str, count: int | None) -> None:
    assert validate_details({"n_speakers": text}, None).n_speakers == count


@pytest.mark.parametrize(
    "text", ["65", "00019999", "-1", "+1", "1.0", "1e1", "many", "٣", "9" * 5000, "1\0", "2147483648"]
)
def test_a_number_that_is_none_of_speakers_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="n_speakers: must be a whole number from 1 to 64"):
        validate_details({"n_speakers": text}, None)


@pytest.mark.parametrize(
    ("fields", "file_name", "name"),
    [
        ({"name": " \u200bWeekly sync\ufeff "}, "a.wav", "Weekly sync"),
        ({}, "folder/a.wav", "a.wav"),
        ({}, "C:\\folder\\a.wav", "a.wav"),
        ({}, "\u202egpj.a\n.wav", "gpj.a.wav"),
        ({}, "\u200b", "Untitled meeting"),
        ({}, "x" * 600, "x" * 500),
        ({}, None, "Untitled meeting"),
    ],
)
def test_a_meeting_has_a_name_that_can_be_read(fields: dict[str, str], file_name: str | None, name: str) -> None:
    assert validate_details(fields, file_name).name == name


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("name", "x" * 501, "501 characters; the limit is 500"),
        ("name", "\u202eleinaD", "bidirectional"),
        ("name", "a\0b", "control characters"),
        ("key_terms", "good, \u2066bad", "bidirectional"),
        ("key_terms", "good, \u3164", "no visible characters"),
        ("key_terms", "a\ud800", "invalid code points"),
        ("date", "2026-11-23x14", "ISO 8601"),
        ("date", "2026-11-23\x0014:00", "ISO 8601"),
    ],
)
def test_what_cannot_be_read_or_stored_is_refused(field: str, text: str, reason: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_details({field: text}, None)
    assert raised.value.message.startswith(f"Bad request: {field}: ")
    assert reason in raised.value.message
