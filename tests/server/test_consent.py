"""Notes of consent: how they are written in a line, and what is refused."""

from __future__ import annotations

import pytest

from server.consent import Consent, check_consents, parse_consents
from server.errors import BadRequest


def test_a_line_is_a_person_and_how_and_perhaps_when() -> None:
    text = " Zoë Müller ; by e-mail ; 2026-11-23\r\n\n東京 team;said so at the start\n"
    assert parse_consents(text) == (
        Consent("Zoë Müller", "by e-mail", "2026-11-23"),
        Consent("東京 team", "said so at the start", ""),
    )
    assert parse_consents("") == parse_consents(" \n ") == ()


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Daniel", "each line must be who; how, or who; how; when"),
        ("Daniel; a; b; c", "each line must be who; how, or who; how; when"),
        ("; by e-mail", "who: missing"),
        ("Daniel; ", "how: missing"),
        ("n" * 201 + "; a", "who: 201 characters; the limit is 200"),
        ("Daniel;" + "n" * 501, "how: 501 characters; the limit is 500"),
        ("Daniel; a; " + "n" * 101, "when: 101 characters; the limit is 100"),
        ("Daniel\x00; a", "who: contains control characters"),
        ("\u202eleinaD; a", "who: "),
        ("\n".join(["Daniel; a"] * 101), "more than 100"),
    ],
    ids=["no how", "four parts", "no who", "empty how", "long who", "long how", "long when", "nul", "turned", "many"],
)
def test_what_is_refused_is_named(text: str, fix: str) -> None:
    with pytest.raises(BadRequest, match=fix) as raised:
        parse_consents(text)
    assert raised.value.parameter == "consent"


def test_a_hundred_of_the_longest_are_accepted() -> None:
    longest = Consent("名" * 200, "名" * 500, "名" * 100)
    assert check_consents("consent", [longest] * 100) == (longest,) * 100
