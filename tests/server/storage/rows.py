"""Organizations, users and meetings in a real database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from server.consent import Consent
from server.live import LiveConfig, LiveRule, RuleKind
from server.live.session_registry import live_file_hash
from server.storage import (
    audit,
    consents,
    deletions,
    jobs,
    keys,
    live,
    live_leases,
    live_rules,
    meetings,
    quotas,
    results,
    search,
    usage,
    users,
    webhook_events,
    webhooks,
)
from server.storage.audit import AuditEvent
from server.storage.deletions import NewDeletion
from server.storage.live import LiveRow, NewEvent
from server.storage.live_leases import Taker
from server.storage.meetings import NewMeeting
from server.storage.pool import Connection, Database
from server.storage.search import SearchSentence
from server.storage.speakers import SpeakerRow, speaker_id
from server.storage.users import User

HASH = "a" * 64


async def make_user(owner: Database, organization: str = "Org", email: str = "", role: str = "owner") -> User:
    """The user with this address; created if missing, as its organization is."""
    email = email or f"{organization.lower()}@example.org"
    if (known := await owner.run(lambda c: users.find_by_email(c, email))) is not None:
        return known
    user_id = await owner.run(lambda c: users.ensure_user(c, organization, email, "hash", role))
    user = await owner.run(lambda c: users.find(c, user_id))
    assert user is not None
    return user


def new_meeting(user: User, file_hash: str = HASH, name: str = "m") -> NewMeeting:
    """A recording of the user that can be accepted."""
    return NewMeeting(user.organization_id, user.id, file_hash, name, None, None, "", "audio/wav", 1)


def new_live_meeting(user: User) -> LiveRow:
    """A live meeting of the user that can be created."""
    id_ = uuid4()
    return LiveRow(
        meeting_id=id_,
        organization_id=user.organization_id,
        user_id=user.id,
        file_hash=live_file_hash(id_),
        status="receiving",
        config={"name": "Weekly"},
        fence=0,
        owner=0,
        finished=False,
        concluded=False,
        ignored_tracks=(),
    )


async def queued_meeting(database: Database, user: User, file_hash: str) -> None:
    """Store a meeting that waits for a worker."""
    new = new_meeting(user, file_hash)
    status = await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)
    assert status == "queued"


async def ready_meeting(
    database: Database,
    user: User,
    file_hash: str = HASH,
    *,
    labels: Sequence[int] = (1, 2),
    answers: Mapping[str, tuple[str, dict[str, Any]]] | None = None,
    conversation: dict[str, Any] | None = None,
) -> UUID:
    """Store a meeting that was analysed; return its id."""
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


@dataclass(frozen=True)
class OrganizationRows:
    """An organization with at least one row in every table."""

    organization_id: UUID
    user: User
    meeting_id: UUID
    """Of an uploaded recording."""
    file_hash: str
    live_meeting_id: UUID
    voice_id: UUID
    speaker_ids: tuple[UUID, UUID]
    key_id: UUID
    webhook_id: UUID
    delivery_id: UUID


async def take(connection: Connection, organization_id: UUID, meeting_id: UUID) -> LiveRow:
    """Hold a live meeting from now on, whoever held it."""
    await connection.execute("UPDATE live_meetings SET lease_until = NULL WHERE meeting_id = $1", meeting_id)
    return (await live_leases.acquire(connection, organization_id, meeting_id, Taker("here", "this process", 15))).row


async def fill_every_table(
    owner: Database, database: Database, organization: str, *, text: str = "m", file_hash: str = HASH
) -> OrganizationRows:
    """Create an organization with a row in every table; every free text in them is ``text``."""
    user = await make_user(owner, organization)
    row = replace(new_live_meeting(user), config=LiveConfig(text, None, (), None, "", 60).to_document())
    run = partial(database.run, organization_id=user.organization_id)
    await run(lambda c: meetings.accept(c, new_meeting(user, file_hash, text)))
    await run(lambda c: live.create(c, row, name=text, held_on=None, n_speakers=None, language=""))
    held = await run(lambda c: take(c, user.organization_id, row.meeting_id))
    await run(lambda c: live.append_events(c, row.meeting_id, held.fence, [NewEvent(1, None, text.encode())]))
    meeting_id = await run(lambda c: c.fetchval("SELECT id FROM meetings WHERE file_hash = $1", file_hash))

    key_id, voice_id, speaker_ids = uuid4(), uuid4(), (uuid4(), uuid4())

    async def analysed(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO voices (id, organization_id, name, model, vector) VALUES ($1, $2, $3, 'encoder', '')",
            voice_id,
            user.organization_id,
            text,
        )
        await connection.executemany(
            "INSERT INTO speakers (id, meeting_id, label, alias, voice_id) VALUES ($1, $2, $3, $4, $5)",
            [(id_, meeting_id, label, text, voice_id) for label, id_ in enumerate(speaker_ids, start=1)],
        )
        for statement in (
            "INSERT INTO conversations (meeting_id, document) VALUES ($1, $2)",
            "INSERT INTO speaker_edits (meeting_id, number, document) VALUES ($1, 1, $2)",
            "INSERT INTO insights (meeting_id, family, definition_version, value) VALUES ($1, 'family', '1', $2)",
        ):
            await connection.execute(statement, meeting_id, {"text": text})

    await run(analysed)
    sentence = SearchSentence(0, 1, 0, 1, "en", text, text, text, "english", text, "encoder", b"\x00\x3c")
    await run(lambda c: search.replace(c, user.organization_id, meeting_id, 1, [sentence]))
    rule = LiveRule("rule", RuleKind.PHRASE, phrases=(text,))
    await run(lambda c: live_rules.replace(c, user.organization_id, [rule.to_document()]))
    consent = Consent(text, text, text)
    await run(lambda c: consents.replace(c, user.organization_id, meeting_id, user.id, [consent]))
    await run(lambda c: quotas.count_upload(c, user.organization_id, 1))
    await run(lambda c: usage.count(c, user.organization_id, user.id, key_id, analyses=1, audio_ms=60_000))
    key = {"name": text, "secret_hash": key_id.bytes, "scopes": ["read"], "expires_in_days": 1}
    await run(lambda c: keys.add(c, user.organization_id, user.id, key_id, **key))  # type: ignore[arg-type]
    event = AuditEvent(
        organization_id=user.organization_id, method=text, action="read", object_kind="meeting", object_id=file_hash
    )
    await run(lambda c: audit.add(c, user.organization_id, [event]))
    receipt = NewDeletion(uuid4(), user.organization_id, file_hash, "audio", user.id)
    await run(lambda c: deletions.record(c, receipt, meeting_id, {}, 1, 1))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await run(lambda c: users.log_out(c, user.organization_id, user.id, uuid4(), tomorrow))
    webhook_id = await new_webhook(database, user.organization_id, text=text)
    alert = {"alert_id": 1, "state": "LIVE_ALERT_STATE_FINAL", "text": text}
    await run(lambda c: webhook_events.add_alert(c, row.meeting_id, 1, alert))
    delivery_id = await run(lambda c: c.fetchval("SELECT id FROM webhook_deliveries"))
    return OrganizationRows(
        user.organization_id,
        user,
        meeting_id,
        file_hash,
        row.meeting_id,
        voice_id,
        speaker_ids,
        key_id,
        webhook_id,
        delivery_id,
    )


async def new_webhook(
    database: Database,
    organization_id: UUID,
    *,
    url: str = "https://receiver.example/",
    text: str = "m",
    events: Sequence[str] = webhook_events.EVENT_TYPES,
    secret: bytes = b"sealed",
    id_: UUID | None = None,
) -> UUID:
    """Store a webhook; return its id."""
    webhook_id = id_ or uuid4()
    values = {"url": url, "description": text, "events": events, "secret": secret}
    await database.run(
        lambda c: webhooks.add(c, organization_id, webhook_id, **values),  # type: ignore[arg-type]
        organization_id=organization_id,
    )
    return webhook_id
