"""What a setting of an organization may be."""

from __future__ import annotations

import pytest

from server.policy import check_setting


def test_days_have_bounds() -> None:
    for value in (0, 1, 36_500):
        check_setting("retention_audio_days", value)
    for wrong in (-1, 36_501, "1"):
        with pytest.raises(ValueError, match="must be 1 to 36500 days, or 0 for never"):
            check_setting("retention_audio_days", wrong)


def test_kinds_of_redaction_are_written_one_way() -> None:
    for value in ("", "email", "email,phone,card,iban,name"):
        check_setting("redact", value)
    for wrong, reason in (
        ("phone,email", "must be written as email,phone"),
        ("Email", "must be written as email"),
        ("email,email", "must be written as email"),
        ("address", "must be one or several of email, phone, card, iban, name"),
        ("email," * 100, "must be kinds separated by commas, or empty"),
        (1, "must be kinds separated by commas, or empty"),
    ):
        with pytest.raises(ValueError, match=reason):
            check_setting("redact", wrong)
