"""Logs that say what happened where, and quote nobody.

The message of an unexpected exception may hold whatever was being worked on: PostgreSQL's errors hold values of rows,
those of parsers the text. So only its type and its place are logged, unless the level is DEBUG.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# A message is one line: what somebody wrote must not look like a line of ours.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Causes of causes; an exception may be its own.
MAX_CHAIN = 8
# They log addresses and exceptions as text.
CHATTY = ("httpx", "httpcore")

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_quietly(level: str) -> None:
    """Log to standard error from now on, uncaught exceptions too. Raises ValueError for an unknown level."""
    handler = logging.StreamHandler()
    handler.setFormatter(QuietFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
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
