"""What a call leaves in the log when its client goes in the middle of writing it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from server.audit import AuditedCall, AuditTrail
from server.storage import AuditEvent


class SlowTrail(AuditTrail):
    """A log whose database takes events that it is not waited for to confirm."""

    def __init__(self) -> None:
        self.written: list[AuditEvent] = []
        self.noted: list[AuditEvent] = []
        self.slow = False

    async def write(self, event: AuditEvent) -> bool:
        self.written.append(event)
        if self.slow:
            await asyncio.Event().wait()
        return True

    def note(self, event: AuditEvent) -> None:
        self.noted.append(event)


def deletion(trail: AuditTrail) -> AuditedCall:
    call = AuditedCall(
        trail, method="MeetingService/DeleteMeeting", action="delete", object_kind="meeting", address="", request_id=""
    )
    call.identify(uuid4(), uuid4(), "owner")
    return call


async def cancelled(work: asyncio.Task[None]) -> None:
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_how_a_call_ended_is_not_lost_with_its_client() -> None:
    trail = SlowTrail()
    call = deletion(trail)
    await call.begin()
    trail.slow = True
    await cancelled(asyncio.create_task(call.end()))
    call.cut()
    (begun, ended), (noted,) = trail.written, trail.noted
    # One event, whether or not the database had it.
    assert noted == ended
    assert (noted.status, noted.begun_id) == ("OK", begun.id)


async def test_a_client_that_goes_while_the_beginning_is_written_leaves_one_call() -> None:
    trail = SlowTrail()
    trail.slow = True
    call = deletion(trail)
    await cancelled(asyncio.create_task(call.begin()))
    call.cut()
    (begun,), (noted,) = trail.written, trail.noted
    assert (noted.status, noted.begun_id) == ("CANCELLED", begun.id)
