"""The caller of the current call."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from server.auth.external_issuer import ExternalToken
from server.auth.rights import RIGHTS_OF_ROLE, RIGHTS_OF_SCOPE
from server.auth.session_tokens import SessionClaims
from server.auth.tokens import Claims
from server.errors import PermissionDenied, Unauthenticated


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: by its hash."""

    PREFIX: ClassVar[str] = "mk_"
    secret_hash: bytes

    @classmethod
    def of(cls, secret: str) -> ApiKey:
        """Return the key of the text that is sent."""
        return cls(hashlib.sha256(secret.encode(errors="replace")).digest())


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, with the organization whose data they may access."""

    user_id: UUID
    organization_id: UUID
    credential: Claims | ApiKey | ExternalToken | SessionClaims
    """What they showed."""
    role: str
    scopes: tuple[str, ...] | None = None
    """Of the key, or of the key that made the session token; None: no key limits what the role allows."""
    key_id: UUID | None = None
    """Of that key."""

    @property
    def rights(self) -> frozenset[int]:
        """What the caller may do: ``Right`` of meetra/v1/access.proto."""
        rights = RIGHTS_OF_ROLE[self.role]
        if isinstance(self.credential, SessionClaims):
            rights &= self.credential.rights
        if self.scopes is None:
            return rights
        return rights & frozenset[int]().union(*(RIGHTS_OF_SCOPE[scope] for scope in self.scopes))

    def require_session(self, session_id: UUID | None) -> None:
        """Raise PermissionDenied if the caller showed a session token of another live meeting.

        Args:
            session_id: None: a meeting that is yet to be opened.
        """
        if isinstance(self.credential, SessionClaims) and self.credential.session_id != session_id:
            raise PermissionDenied.of_session(self.role)


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
