"""The caller of the current call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from server.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, with the organization whose data they may access."""

    user_id: UUID
    organization_id: UUID
    token_issued_at: float
    """Seconds since the epoch."""


# gRPC runs each call in a task of its own, and each task has its own context.
_caller: ContextVar[Caller] = ContextVar("meetra_caller")


def set_caller(caller: Caller) -> None:
    """Set the caller of the current call; used by the interceptor only."""
    _caller.set(caller)


def current_caller() -> Caller:
    """Return the caller of the current call. Raises Unauthenticated outside an authenticated call."""
    try:
        return _caller.get()
    except LookupError:
        raise Unauthenticated from None
