"""What an organization may use, and what it uses."""

from __future__ import annotations

from dataclasses import dataclass

MS_PER_MINUTE = 60_000
# An override that lifts a quota: more than anything that is counted.
UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an organization may use."""

    upload_bytes_per_day: int
    """Bytes received of its uploads on a day (UTC), of ones that end in an error too."""
    minutes_per_day: int
    """Minutes of audio, all tracks of a meeting together, whose analysis begins on a day (UTC)."""
    stored_bytes: int
    """Bytes of its recordings, uploaded and live."""
    uploads_at_once: int
    """Uploads that run at the same time in an API process."""


@dataclass(frozen=True, slots=True)
class Use:
    """What an organization uses, and its quotas."""

    quotas: Quotas
    upload_bytes: int
    """Received today."""
    analysed_ms: int
    """Audio whose analysis began today, milliseconds."""
    stored_bytes: int
    day_ends_in_s: int
    """Seconds until midnight UTC, at least 1."""
