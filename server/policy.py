"""The settings that an organization's owners choose."""

from __future__ import annotations

from dataclasses import dataclass, fields

from server.conversation import format_redaction_kinds, parse_redaction_kinds

MAX_DAYS = 36_500
# Characters of a list of kinds.
MAX_LIST = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """An organization's settings: a column of ``organizations`` and a field of ``OrganizationPolicy`` each, by name."""

    retention_audio_days: int = 0
    """Days after which the audio of a meeting is deleted; 0: never."""
    retention_transcript_days: int = 0
    """Days after which what was said in a meeting is deleted; 0: never."""
    retention_meeting_days: int = 0
    """Days after which a meeting is deleted; 0: never."""
    consent_required: bool = False
    """Whether a meeting needs a note of consent before it is recorded or uploaded."""
    redact: str = ""
    """What is redacted in every meeting: kinds separated by commas; empty: nothing."""


SETTINGS = tuple(field.name for field in fields(Policy))


def check_setting(name: str, value: object) -> None:
    """Check the value of a setting. Raises ValueError, which says what it may be."""
    if name.endswith("_days") and not (isinstance(value, int) and 0 <= value <= MAX_DAYS):
        raise ValueError(f"{value}; must be 1 to {MAX_DAYS} days, or 0 for never")
    if name == "redact":
        if not isinstance(value, str) or len(value) > MAX_LIST:
            raise ValueError("must be kinds separated by commas, or empty")
        if value != format_redaction_kinds(kinds := parse_redaction_kinds(value)):
            raise ValueError(f"must be written as {format_redaction_kinds(kinds)}")
