"""Lines of the logs of our programs, in either of their formats."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

_TEXT = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ ([A-Z]+) (.*)")


class LogLine(NamedTuple):
    """What a line says."""

    time: datetime
    """In UTC."""
    level: str
    """As ``ERROR``."""
    text: str
    """The logger, a colon, and the message."""


def parse_log_line(line: str) -> LogLine | None:
    """Return what a line of one of our programs says; None for any other line, such as one of a stack trace."""
    if line.startswith("{"):
        try:
            said = json.loads(line)
            text = f"{said['logger']}: {said['message']}"
            return LogLine(datetime.fromisoformat(said["time"]).astimezone(UTC), said["level"], text)
        except (ValueError, KeyError, TypeError):
            return None
    match = _TEXT.match(line)
    # In text our programs log in the machine's time.
    return LogLine(datetime.fromisoformat(match[1]).astimezone(UTC), match[2], match[3]) if match else None
