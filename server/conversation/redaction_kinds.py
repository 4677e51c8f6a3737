"""What can be redacted, and what then stands in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache


class RedactionKind(StrEnum):
    """What is redacted, by the name that callers use."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    NAME = "name"

    @property
    def placeholder(self) -> str:
        """The text that stands in its place: ``[EMAIL]``."""
        return f"[{self.upper()}]"


PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(kind.upper() for kind in RedactionKind)})\]")


@lru_cache(maxsize=1024)  # asked for each track of each live meeting, several times a second
def parse_redaction_kinds(text: str) -> frozenset[RedactionKind]:
    """Parse kinds separated by commas, in any order; empty for none. Raises ValueError, which says what they may be."""
    try:
        return frozenset(RedactionKind(part.strip().lower()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError(f"must be one or several of {', '.join(RedactionKind)}, separated by commas") from None


def format_redaction_kinds(kinds: Iterable[RedactionKind]) -> str:
    """Return kinds separated by commas, in the order of declaration."""
    present = set(kinds)
    return ",".join(kind for kind in RedactionKind if kind in present)
