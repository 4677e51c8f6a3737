"""Logs that say what happened where, and quote nobody.

The message of an unexpected exception may hold whatever was being worked on: PostgreSQL's errors hold values of rows,
those of parsers the text. So only its type and its place are logged, unless the level is DEBUG.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from privacy.log_context import FIELDS, current_log_context

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# A message is one line: what somebody wrote must not look like a line of ours.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Causes of causes; an exception may be its own.
MAX_CHAIN = 8
# They log addresses and exceptions as text.
CHATTY = ("httpx", "httpcore")

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_quietly(level: str, *, process: str = "", as_json: bool = False) -> None:
    """Log to standard error from now on, uncaught exceptions too. Raises ValueError for an unknown level.

    Args:
        process: what the process is, for lines of JSON.
        as_json: whether each line is a JSON object for programs, not text for people.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(process) if as_json else QuietFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its further lines repeat the exception's text.
    logging.getLogger("asyncio").addFilter(_keep_first_line)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda uncaught: _log_uncaught(uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)


class QuietFormatter(logging.Formatter):
    """One line for each message, and exceptions by type and place."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line with its control characters escaped."""
        line = super().formatMessage(record)
        return _CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), line)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """Return the stack trace; exceptions with their messages on DEBUG only."""
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            return super().formatException(ei)
        return "\n".join(_lines(ei[1], MAX_CHAIN)) if ei[1] is not None else ""


class JsonFormatter(QuietFormatter):
    """One line of JSON for each message, exceptions in it, with the ids that are known where it was logged."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. It is ASCII: everything else is escaped."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "process": self._process,
            "message": record.getMessage(),
        }
        known = current_log_context()
        line.update({name: known[name] for name in FIELDS if name in known})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return json.dumps(line)


def _lines(error: BaseException, chain: int) -> list[str]:
    """Return the stack trace of an exception, after that of its cause."""
    lines: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and chain:
        lines += [*_lines(cause, chain - 1), "which led to:"]
    lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    lines.append(describe(error))
    if isinstance(error, BaseExceptionGroup) and chain:
        for member in error.exceptions:
            lines += [f"  | {line}" for line in _lines(member, chain - 1)]
    return lines


def describe(error: BaseException) -> str:
    """Return an exception's type, with the code of an error of the system or the database."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    details: list[Any] = [getattr(error, field, None) for field in ("sqlstate", "table_name", "constraint_name")]
    stated = " ".join(detail for detail in details if isinstance(detail, str))
    return f"{name}: {stated}" if stated else name


def _keep_first_line(record: logging.LogRecord) -> bool:
    record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return True


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        logging.getLogger(kind.__module__).critical("ended by an error", exc_info=error)
