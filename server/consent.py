"""A note of consent: who agreed to be recorded and analysed, how, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.errors import BadRequest
from server.visible_text import find_flaw, trim

MAX_PEOPLE = 100
# Characters of each part.
LIMITS = {"who": 200, "how": 500, "when": 100}


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent of one person or group, in the words of whoever notes it."""

    who: str
    how: str
    when: str = ""
    """Empty if it is not stated."""


def parse_consents(text: str) -> tuple[Consent, ...]:
    """Parse consents, a line each: ``who; how`` or ``who; how; when``.

    Raises BadRequest naming ``consent``.
    """
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = line.split(";")
        if not 2 <= len(parts) <= len(LIMITS):
            raise BadRequest("consent", "each line must be who; how, or who; how; when")
        found.append(Consent(*parts))
    return check_consents("consent", found)


def check_consents(field: str, consents: Iterable[Consent]) -> tuple[Consent, ...]:
    """Return the consents, trimmed.

    Raises BadRequest, naming ``field``, for more than 100, one without who or how, or a part that is too long or
    unreadable.
    """
    checked: list[Consent] = []
    for consent in consents:
        if len(checked) == MAX_PEOPLE:
            raise BadRequest(field, f"more than {MAX_PEOPLE}; note a group as one")
        checked.append(Consent(*(_checked(field, name, getattr(consent, name)) for name in LIMITS)))
    return tuple(checked)


def _checked(field: str, part: str, value: str) -> str:
    text = value.strip()
    if len(text) > LIMITS[part]:
        raise BadRequest(field, f"{part}: {len(text)} characters; the limit is {LIMITS[part]}")
    if not text and part != "when":
        raise BadRequest(field, f"{part}: missing; say who consented, and how")
    if text and (reason := find_flaw(text)):
        raise BadRequest(field, f"{part}: {reason}")
    return trim(text)
