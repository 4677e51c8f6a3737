"""What the audit log says of one call, gathered while it runs."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from dataclasses import replace
from uuid import UUID

from server.audit.trail import AuditTrail
from server.storage import AuditEvent, DatabaseUnavailable, ReferenceDeleted

log = logging.getLogger(__name__)
# Written before the call does anything: whoever kills the server in the middle hides nothing.
WRITTEN_AHEAD = frozenset({"change", "delete", "export"})
# gRPC runs each call in a task of its own, and each task has its own context.
_call: ContextVar[AuditedCall | None] = ContextVar("meetra_audited_call", default=None)


def current_call() -> AuditedCall | None:
    """Return the call that runs; None outside of one."""
    return _call.get()


def enter_call(call: AuditedCall) -> None:
    """Set the call that runs; used by the interceptor only."""
    _call.set(call)


class AuditedCall:
    """A call with its events. Until its organization is known, none are written.

    Args:
        method: as ``MeetingService/DeleteMeeting``.
        action: as in ``AuditEvent``; empty: no event, unless the call is refused.
    """

    def __init__(
        self, trail: AuditTrail, *, method: str, action: str, object_kind: str, address: str, request_id: str
    ) -> None:
        self._trail = trail
        self.action = action
        self._method, self._object_kind, self._object_id = method, object_kind, ""
        self._address, self._request_id = address, request_id
        self._actor: AuditEvent | None = None
        self._begun: AuditEvent | None = None
        self._ended = False

    def identify(self, organization_id: UUID, user_id: UUID, role: str, key_id: UUID | None = None) -> None:
        """Say who calls, who has proven it."""
        self._actor = AuditEvent(
            organization_id=organization_id,
            method=self._method,
            action=self.action,
            actor="user" if key_id is None else "key",
            user_id=user_id,
            key_id=key_id,
            role=role,
            address=self._address,
            request_id=self._request_id,
        )

    def claim(self, organization_id: UUID, user_id: UUID) -> None:
        """Say whose account somebody unknown wants."""
        self._actor = AuditEvent(
            organization_id=organization_id,
            method=self._method,
            action=self.action,
            address=self._address,
            request_id=self._request_id,
        )
        self._object_kind, self._object_id = "user", str(user_id)

    def concern(self, object_id: str) -> None:
        """Say what the call is about; an empty id changes nothing."""
        self._object_id = self._object_id or object_id

    async def begin(self) -> None:
        """Write that the call begins, if it is one to change, delete or export something.

        Raises DatabaseUnavailable, ReferenceDeleted: nothing may happen then.
        """
        if self._actor is None or self.action not in WRITTEN_AHEAD:
            return
        event = self._event(self._actor, self.action, "")
        try:
            if await self._trail.write(event):
                self._begun = event
        except asyncio.CancelledError:
            # It may be written.
            self._begun = event
            raise

    async def end(self, status: str = "OK", *, refused: bool = False) -> None:
        """Write how the call ended, once; further calls do nothing.

        Raises DatabaseUnavailable where nothing was written of a login: it must not succeed.
        """
        if (event := self._ending(status, refused)) is None:
            return
        if event.action not in WRITTEN_AHEAD | {"login"} and self._begun is None:
            self._trail.note(event)
            return
        try:
            await self._trail.write(event)
        except DatabaseUnavailable:
            # That it began is written.
            if self._begun is None and event.action == "login":
                raise
            self._trail.note(event)
        except ReferenceDeleted:
            log.info("the organization of a call was deleted meanwhile")
        except asyncio.CancelledError:
            # The client leaves at this moment. Where it is written already, it is not written twice.
            self._trail.note(event)
            raise

    def cut(self) -> None:
        """Note that the client left before the call ended."""
        if (event := self._ending("CANCELLED", refused=False)) is not None:
            self._trail.note(event)

    async def add(self, method: str, action: str, object_kind: str, object_id: str) -> None:
        """Write another event of this call, before what it tells of happens; later, if the database is away."""
        if self._actor is None:
            return
        event = replace(
            self._event(self._actor, action, "OK"),
            method=method,
            object_kind=object_kind,
            object_id=object_id,
            begun_id=None,
        )
        try:
            await self._trail.write(event)
        except DatabaseUnavailable:
            self._trail.note(event)
        except ReferenceDeleted:
            log.info("the organization of a call was deleted meanwhile")

    def _ending(self, status: str, refused: bool) -> AuditEvent | None:
        if self._ended or self._actor is None or not (self.action or refused):
            return None
        self._ended = True
        return self._event(self._actor, "refused" if refused else self.action, status)

    def _event(self, actor: AuditEvent, action: str, status: str) -> AuditEvent:
        # A new id and time.
        begun_id = self._begun.id if self._begun is not None else None
        fresh = AuditEvent(organization_id=actor.organization_id, method=self._method, action=action)
        return replace(
            actor,
            id=fresh.id,
            happened_at=fresh.happened_at,
            action=action,
            object_kind=self._object_kind if self._object_id else "",
            object_id=self._object_id,
            status=status,
            begun_id=begun_id,
        )
