"""Users and finished meetings in a real database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from server.storage import jobs, meetings, results, users
from server.storage.pool import Connection, Database
from server.storage.speakers import SpeakerRow, speaker_id
from server.storage.users import User


async def user_of(database: Database, organization: str = "Org", email: str = "a@example.org") -> User:
    """A user of the organization, both made if they are missing."""
    user_id = await database.run(lambda c: users.ensure_user(c, organization, email, "hash"))
    user = await database.run(lambda c: users.find(c, user_id))
    assert user is not None
    return user


async def queued_meeting(database: Database, user: User, file_hash: str) -> None:
    """A meeting that waits for a worker."""
    new = meetings.NewMeeting(user.organization_id, user.id, file_hash, "m", None, None, "", "audio/wav", 1)
    assert await database.run(lambda c: meetings.accept(c, new)) == "queued"


async def ready_meeting(
    database: Database,
    user: User,
    file_hash: str = "a" * 64,
    *,
    labels: Sequence[int] = (1, 2),
    answers: Mapping[str, tuple[str, dict[str, Any]]] | None = None,
    conversation: dict[str, Any] | None = None,
) -> UUID:
    """A meeting that was analysed; its id."""
    await queued_meeting(database, user, file_hash)

    async def finish(connection: Connection) -> UUID:
        job = await jobs.lease_next(connection, 30, 3)
        assert job is not None
        assert job.file_hash == file_hash
        await results.finish(
            connection,
            job,
            conversation=conversation or {},
            engine={"languages": ["en"]},
            speakers_found=[SpeakerRow(n, speaker_id(job.meeting_id, n), f"Speaker {n}") for n in labels],
            answers=answers or {},
            duration_ms=60_000,
            language="en",
            language_confidence=0.75,
            speech_found=True,
            notice="",
            message="Ready",
        )
        return job.meeting_id

    return await database.run(finish)
