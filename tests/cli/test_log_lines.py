"""Lines of logs, read back from either format."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from cli.log_lines import parse_log_line
from privacy.quiet_logs import FORMAT, JsonFormatter, QuietFormatter

RECORD = logging.LogRecord("server.api", logging.ERROR, __file__, 1, "%s failed", ("/a/B",), None)


@pytest.mark.parametrize("formatter", [QuietFormatter(FORMAT), JsonFormatter("api")], ids=["text", "json"])
def test_what_our_programs_write_is_read(formatter: logging.Formatter) -> None:
    line = parse_log_line(formatter.format(RECORD))
    assert line is not None
    assert (line.level, line.text) == ("ERROR", "server.api: /a/B failed")
    assert abs((line.time - datetime.fromtimestamp(RECORD.created, UTC)).total_seconds()) <= 1


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        "no line of ours: ERROR",
        "{",
        "{}",
        '{"time": 1, "logger": "a"}',
        "[1]",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_log_line(line) is None
