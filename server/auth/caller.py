"""The caller of the current call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from server.auth.rights import RIGHTS_OF_ROLE
from server.auth.tokens import Claims
from server.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, with the organization whose data they may access."""

    user_id: UUID
    organization_id: UUID
    token: Claims
    """What they showed."""
    role: str

    @property
    def rights(self) -> frozenset[int]:
        """What the caller may do: ``Right`` of meetra/v1/access.proto."""
        return RIGHTS_OF_ROLE[self.role]


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
