"""What a line of a log is about: ids that are known where it is written, without being passed there.

Each task of asyncio, and each thread that ``asyncio.to_thread`` uses, has what the one that started it had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

# Ids alone, in the order in which they are written: of whom, of which meeting, of which session of an engine, of which
# call at the gateway, of which trace.
FIELDS = ("organization", "meeting", "session", "request", "trace")
_context: ContextVar[Mapping[str, str]] = ContextVar("meetra_log_context", default=MappingProxyType({}))


def current_log_context() -> Mapping[str, str]:
    """Return what is known here, by field; fields that are not known are missing."""
    return _context.get()


def add_log_context(**ids: object) -> None:
    """Add ids for the rest of the current task; ``FIELDS`` has their names. Empty ones are left out."""
    _context.set(_joined(_context.get(), ids))


def replace_log_context(**ids: object) -> None:
    """Forget what was known, and know these ids for the rest of the current task."""
    _context.set(_joined({}, ids))


@contextmanager
def log_context(**ids: object) -> Iterator[None]:
    """Add ids within this context. For a task that goes on with something else afterwards."""
    token = _context.set(_joined(_context.get(), ids))
    try:
        yield
    finally:
        _context.reset(token)


def _joined(known: Mapping[str, str], ids: Mapping[str, object]) -> Mapping[str, str]:
    assert ids.keys() <= set(FIELDS), f"unknown: {ids.keys() - set(FIELDS)}"
    return {**known, **{name: str(value) for name, value in ids.items() if value}}
