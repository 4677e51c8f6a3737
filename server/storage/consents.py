"""Notes of consent, kept with their meetings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.consent import Consent
from server.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class NotedConsent:
    """A consent as it was noted."""

    consent: Consent
    noted_at: datetime
    email: str | None
    """Of who noted it; None once the user was deleted."""


async def replace(
    connection: Connection,
    organization_id: UUID,
    meeting_id: UUID,
    user_id: UUID | None,
    consents: Sequence[Consent],
) -> None:
    """Note these consents with a meeting, in place of those that were; the same ones stay as they were noted.

    Args:
        user_id: who notes them.
    """
    before = [noted.consent for noted in await list_all(connection, organization_id, meeting_id)]
    if before == list(consents):
        return
    await connection.execute(
        "DELETE FROM consents WHERE organization_id = $1 AND meeting_id = $2", organization_id, meeting_id
    )
    await connection.executemany(
        "INSERT INTO consents (organization_id, meeting_id, number, who, how, given, user_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (organization_id, meeting_id, number, consent.who, consent.how, consent.when, user_id)
            for number, consent in enumerate(consents, start=1)
        ],
    )


async def list_all(connection: Connection, organization_id: UUID, meeting_id: UUID) -> list[NotedConsent]:
    """Return the consents of a meeting, in the order in which they were given."""
    rows = await connection.fetch(
        "SELECT c.who, c.how, c.given, c.noted_at, u.email FROM consents c"
        " LEFT JOIN users u ON u.id = c.user_id AND u.organization_id = c.organization_id"
        " WHERE c.organization_id = $1 AND c.meeting_id = $2 ORDER BY c.number",
        organization_id,
        meeting_id,
    )
    return [NotedConsent(Consent(row["who"], row["how"], row["given"]), row["noted_at"], row["email"]) for row in rows]
