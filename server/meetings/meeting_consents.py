"""The notes of consent of meetings: read, and replaced by hand."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from server.auth import Caller
from server.consent import Consent
from server.errors import ConsentRequired, MeetingNotFound
from server.storage import Connection, Database, NotedConsent, consents, deletions, meetings, organizations


class MeetingConsents:
    """Read and replace the consents that are noted with meetings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, caller: Caller, file_hash: str) -> list[NotedConsent]:
        """Return the consents of a meeting. Raises MeetingNotFound."""
        organization_id = caller.organization_id

        async def work(connection: Connection) -> list[NotedConsent]:
            meeting_id = _found(await meetings.find_id(connection, organization_id, file_hash))
            return await consents.list_all(connection, organization_id, meeting_id)

        return await self._database.run(work, organization_id=organization_id)

    async def replace(self, caller: Caller, file_hash: str, given: Sequence[Consent]) -> list[NotedConsent]:
        """Note these consents in place of those that are noted, and return the note.

        Raises MeetingNotFound, and ConsentRequired for none where the organization's policy wants one.
        """
        organization_id = caller.organization_id

        async def work(connection: Connection) -> list[NotedConsent]:
            # One after the other, so that the note is one caller's.
            meeting_id = _found(await deletions.lock_meeting(connection, organization_id, file_hash))
            policy = (await organizations.find(connection, organization_id)).policy
            if policy.consent_required and not given:
                raise ConsentRequired
            await consents.replace(connection, organization_id, meeting_id, caller.user_id, given)
            return await consents.list_all(connection, organization_id, meeting_id)

        return await self._database.run(work, organization_id=organization_id)


def _found(meeting_id: UUID | None) -> UUID:
    if meeting_id is None:
        raise MeetingNotFound
    return meeting_id
