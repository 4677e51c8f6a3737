"""Addresses and passwords of requests."""

from __future__ import annotations

import pytest

from server.api.credentials import validate_new_email, validate_password
from server.errors import BadRequest


def test_an_address_is_stored_in_lower_case_without_spaces_around() -> None:
    assert validate_new_email(" Zoë.Ada@Example.ORG ") == "zoë.ada@example.org"


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.org", "ada@", "a b@example.org", "ada@ex@ample.org", "ada\x00@b.org", "\u202eada@b.org"],
    ids=["empty", "no at", "no name", "no host", "space", "two ats", "control", "turned around"],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(BadRequest, match="email: "):
        validate_new_email(email)


def test_an_address_and_a_password_have_limits() -> None:
    assert len(validate_new_email("a" * 310 + "@b.example")) == 320
    for length in (12, 1024):
        assert len(validate_password("password", "x" * length)) == length
    for length in (0, 11, 1025):
        with pytest.raises(BadRequest, match="password: must be 12 to 1024 characters"):
            validate_password("password", "x" * length)
    with pytest.raises(BadRequest, match="email: 321 characters"):
        validate_new_email("a" * 311 + "@b.example")
