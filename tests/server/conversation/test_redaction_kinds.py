"""Kinds of what is redacted, as callers name them."""

from __future__ import annotations

import pytest

from server.conversation import PLACEHOLDER, RedactionKind, format_redaction_kinds, parse_redaction_kinds


def test_kinds_are_a_list_in_any_order_and_case() -> None:
    assert parse_redaction_kinds("Phone, email,") == {RedactionKind.PHONE, RedactionKind.EMAIL}
    assert parse_redaction_kinds("") == parse_redaction_kinds(" , ") == frozenset()
    assert format_redaction_kinds(parse_redaction_kinds("name,iban,card,phone,email")) == "email,phone,card,iban,name"
    assert format_redaction_kinds([]) == ""


@pytest.mark.parametrize("text", ["all", "email;phone", "e-mail", "phone number"], ids=["all", "dash", "other", "two"])
def test_other_kinds_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="must be one or several of email, phone, card, iban, name"):
        parse_redaction_kinds(text)


def test_placeholders_are_recognised() -> None:
    assert [kind.placeholder for kind in RedactionKind] == ["[EMAIL]", "[PHONE]", "[CARD]", "[IBAN]", "[NAME]"]
    assert all(PLACEHOLDER.fullmatch(kind.placeholder) for kind in RedactionKind)
    assert not PLACEHOLDER.search("[email] [ADDRESS]")
