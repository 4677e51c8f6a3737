"""The rights that methods declare, and the open streams of callers who may lose theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from meetra.v1 import access_pb2

from server.api.audit_rules import find_method
from server.auth import Authenticator, Caller, SessionClaims
from server.errors import MeetraError, PermissionDenied, Unauthenticated


def declared_rights(method: str) -> frozenset[int]:
    """Return the rights of which a caller of ``/package.Service/Method`` needs one; none if nothing is declared."""
    descriptor = find_method(method)
    return frozenset(descriptor.GetOptions().Extensions[access_pb2.rights]) if descriptor else frozenset()


def declared_session_scope(method: str) -> int:
    """Return the scope with which a session token opens ``/package.Service/Method``; unspecified: none does."""
    descriptor = find_method(method)
    scope: int = descriptor.GetOptions().Extensions[access_pb2.session_scope] if descriptor else 0
    return scope


def require_session_scope(caller: Caller, scope: int) -> None:
    """Raise PermissionDenied for a session token without the scope that a method declares."""
    credential = caller.credential
    # No token opens what declares nothing.
    if isinstance(credential, SessionClaims) and scope not in credential.opens:
        raise PermissionDenied.of_session(caller.role)


def require_right(caller: Caller, rights: frozenset[int]) -> None:
    """Raise PermissionDenied unless the caller has one of the rights."""
    if caller.rights.isdisjoint(rights):
        raise PermissionDenied(caller.role, caller.scopes)


@dataclass(eq=False)
class OpenStream:
    """A stream whose caller was let in."""

    caller: Caller
    rights: frozenset[int]
    """Of which the caller needs one."""
    task: asyncio.Task[object]
    failure: MeetraError | None = None
    """Why it must end; None while it may go on."""
    writing: bool = field(default=False, init=False)

    def end(self, failure: MeetraError) -> None:
        """Let the stream end with ``failure``."""
        # A client that reads gets the reason. Cancelled while gRPC writes, the call would end without one: that is
        # for a client which has not read since the last look.
        if not self.writing or self.failure is not None:
            self.task.cancel()
        self.failure = failure

    @contextmanager
    def write(self) -> Iterator[None]:
        """Mark the time for which gRPC writes a response. Raises the failure that came meanwhile."""
        self.writing = True
        yield
        self.writing = False
        if self.failure is not None:
            raise self.failure


class OpenStreams:
    """The streams of this process, whose callers are looked at again."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._open: set[OpenStream] = set()

    @contextmanager
    def hold(self, caller: Caller, rights: frozenset[int]) -> Iterator[OpenStream]:
        """Have the stream of the current task looked at while it is open.

        Raises Unauthenticated or PermissionDenied once its caller may no longer hold it.
        """
        task = asyncio.current_task()
        assert task is not None
        stream = OpenStream(caller, rights, task)
        self._open.add(stream)
        try:
            yield stream
        except asyncio.CancelledError:
            if stream.failure is None:
                raise
            task.uncancel()
            raise stream.failure from None
        finally:
            self._open.discard(stream)

    async def look_again(self, changed: Collection[UUID] | None) -> None:
        """End the streams whose callers may no longer hold them.

        Args:
            changed: users to look at; None: all.

        Raises DatabaseUnavailable: the streams go on until it is back.
        """
        for stream in [one for one in self._open if changed is None or one.caller.user_id in changed]:
            try:
                require_right(await self._authenticator.caller_of(stream.caller.credential), stream.rights)
            except (Unauthenticated, PermissionDenied) as failure:
                # It may have ended by itself meanwhile, and its task be at something else.
                if stream in self._open:
                    stream.end(failure)
