"""Upload of a recording: streamed to disk while hashing, durable before acknowledgement, then queued.

It goes to where recordings are kept when it is whole: its name there is its hash, and what is refused before, by quotas
or after a look into it, never gets there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from monitoring import step
from server.audio import AudioLog, IncomingRecording, Probe, RecordingTooLarge, probe
from server.auth import Caller, find_user
from server.consent import parse_consents
from server.conversation import format_redaction_kinds, parse_redaction_kinds
from server.errors import (
    BadRequest,
    ChannelsDiffer,
    ConsentRequired,
    FileTooLarge,
    RecordingTooLong,
    RedactionDiffers,
    Unauthenticated,
)
from server.fair_slots import FairSlots
from server.meetings.completion import run_to_completion
from server.meetings.content_encoding import BodyDecoder, create_body_decoder
from server.meetings.sent_recording import SentRecording
from server.meetings.upload_allowance import UploadAllowances, minutes_exceeded
from server.meetings.upload_body import (
    CONSENT,
    MAX_OVERHEAD_BYTES,
    TEXT_FIELDS,
    BeforeRecording,
    UploadBody,
    create_body,
)
from server.meetings.upload_fields import RecordingDetails, validate_details
from server.monitoring import UPLOAD_SECONDS, UPLOADED_BYTES
from server.quotas import MS_PER_MINUTE
from server.redaction import RedactionRules, redact_text
from server.storage import Connection, Database, meetings, organizations, quotas

# Seconds that an upload waits for its turn to be probed; then its length is unknown, and the decoder decides.
PROBE_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What a recording may be."""

    max_bytes: int
    max_duration_s: float


@dataclass(frozen=True, slots=True)
class UploadChunk:
    """One message of an upload; only ``data`` counts after the first."""

    data: bytes
    content_type: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The texts of a form, and what they state in the terms of ``validate_details``; of another API than ours."""

    text_fields: frozenset[str]
    stated: Callable[[dict[str, str]], dict[str, str]]
    """Raises BadRequest."""


OWN_FORM = UploadForm(TEXT_FIELDS, lambda fields: fields)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Acknowledgement of a durable recording."""

    file_hash: str
    status: str


class Uploads:
    """Receive recordings into the audio log."""

    def __init__(
        self,
        audio_log: AudioLog,
        database: Database,
        limits: UploadLimits,
        allowances: UploadAllowances,
        probes: FairSlots[UUID],
    ) -> None:
        """
        Args:
            probes: places for the child processes that look into recordings.
        """
        self.audio_log = audio_log
        self._database = database
        self.limits = limits
        self.allowances = allowances
        self._probes = probes

    async def receive(
        self,
        caller: Caller,
        chunks: AsyncIterator[UploadChunk],
        content_encoding: str = "",
        declared_bytes: int = 0,
        form: UploadForm = OWN_FORM,
    ) -> Receipt:
        """Receive a whole recording and queue its analysis; on any error neither file nor meeting remains.

        What can be refused by ``declared_bytes`` is refused before the body is read.

        Args:
            caller: the uploader.
            chunks: the body in chunks; the first has content type and fields.
            content_encoding: the body's ``Content-Encoding``; empty for none.
            declared_bytes: the body's size as its sender states it, bytes; 0 if unknown.
            form: the texts that a form may have.

        Raises:
            UnsupportedContentEncoding: the body's compression is unsupported.
            BadRequest: the body does not match its media type, is truncated or empty, or a field is invalid.
            ConsentRequired: the organization's policy wants a note of consent, and none came before the recording.
            FileTooLarge: as soon as the limit is exceeded.
            QuotaExceeded: as soon as a quota of the organization is.
            RecordingTooLong: the container states a duration over the limit.
            ChannelsDiffer: the recording is known with another use of its channels.
            RedactionDiffers: the recording is known, and less was redacted in it.
            Unauthenticated: the caller's token or key became void during the upload.
            DiskFull: the disk has no room, or not enough to stay usable.
            StoreUnavailable: the object store does not take the recording.
        """
        decoder = create_body_decoder(content_encoding)
        # Around the recording, a form has boundaries, headers and texts; compressed, its size says nothing.
        compressed = content_encoding.strip().lower() not in ("", "identity")
        least_bytes = 0 if compressed else max(0, declared_bytes - MAX_OVERHEAD_BYTES)
        if least_bytes > self.limits.max_bytes:
            raise FileTooLarge(self.limits.max_bytes)
        organization = await self._database.run(
            lambda c: organizations.find(c, caller.organization_id), organization_id=caller.organization_id
        )
        before_recording = _require_consent if organization.policy.consent_required else None
        async with self.allowances.admit(caller.organization_id, least_bytes) as allowance:
            recording = self.audio_log.receive(self.limits.max_bytes, allowance.spend)
            with recording:
                began = time.monotonic()
                receipt = await self._store(caller, recording, chunks, decoder, before_recording, form)
                UPLOAD_SECONDS.observe(time.monotonic() - began)
                return receipt

    async def _store(
        self,
        caller: Caller,
        recording: IncomingRecording,
        chunks: AsyncIterator[UploadChunk],
        decoder: BodyDecoder,
        before_recording: BeforeRecording | None,
        form: UploadForm,
    ) -> Receipt:
        try:
            body = await self._read(recording, chunks, decoder, before_recording, form)
        except RecordingTooLarge:
            raise FileTooLarge(self.limits.max_bytes) from None
        details = validate_details(form.stated(body.fields), body.file_name)
        return await self._queue(caller, recording, details, body.media_type)

    async def accept(
        self, caller: Caller, whole: Path, fields: dict[str, str], file_name: str | None, media_type: str
    ) -> Receipt:
        """Queue the analysis of a recording whose bytes lie in a file, received within an allowance. The file stays.

        Raises BadRequest, ConsentRequired, QuotaExceeded, RecordingTooLong, ChannelsDiffer, RedactionDiffers,
        Unauthenticated, DiskFull and StoreUnavailable as ``receive`` does.
        """
        details = await self.check(caller, fields, file_name)
        with self.audio_log.receive(self.limits.max_bytes) as recording:
            await run_to_completion(asyncio.to_thread(recording.adopt, whole))
            return await self._queue(caller, recording, details, media_type)

    async def check(self, caller: Caller, fields: dict[str, str], file_name: str | None) -> RecordingDetails:
        """Return what is stated of a recording that is to come. Raises BadRequest, ConsentRequired."""
        details = validate_details(fields, file_name)
        organization = await self._database.run(
            lambda c: organizations.find(c, caller.organization_id), organization_id=caller.organization_id
        )
        if organization.policy.consent_required:
            _require_consent(fields)
        return details

    async def _queue(
        self, caller: Caller, recording: IncomingRecording, details: RecordingDetails, media_type: str
    ) -> Receipt:
        """Make a whole recording durable, look into it, and queue its analysis."""
        with step("make the recording durable"):
            path = await run_to_completion(asyncio.to_thread(recording.flush))
        with step("look into the recording"):
            stated_ms = await self._probe(caller.organization_id, path)
        meeting = meetings.NewMeeting(
            caller.organization_id,
            caller.user_id,
            recording.file_hash,
            details.name,
            details.held_on,
            details.n_speakers,
            details.language,
            media_type,
            recording.size_bytes,
            details.key_terms,
            details.channels,
            details.consents,
            details.redact,
            caller.key_id,
        )
        sending = SentRecording(self.audio_log.kept, self._database, meeting.organization_id, meeting.file_hash, path)

        async def store_meeting(connection: Connection) -> str:
            # Serialises with a concurrent deletion of the same recording.
            await meetings.lock_recording(connection, meeting.organization_id, meeting.file_hash)
            # An upload may take hours; the caller was authenticated before it.
            if await find_user(connection, caller.credential) is None:
                raise Unauthenticated
            known = await meetings.find_analysis(connection, meeting.organization_id, meeting.file_hash)
            if known is not None:
                if meeting.channels not in (None, known.channels):
                    raise ChannelsDiffer(known.channels)
                if not meeting.redact <= known.redact:
                    raise RedactionDiffers(format_redaction_kinds(known.redact))
            status = await meetings.accept(connection, await redact_details(connection, meeting))
            await self._count_audio(connection, meeting, stated_ms)
            # After every check of the database, before its commit.
            await sending.keep(connection)
            return status

        # The bytes are durable, so waiting for the database costs nothing. If the client disconnects now, a
        # complete meeting remains.
        with step("queue the analysis"):
            status = await run_to_completion(sending.store(store_meeting))
        UPLOADED_BYTES.inc(recording.size_bytes)
        return Receipt(meeting.file_hash, status)

    async def _probe(self, organization_id: UUID, path: Path) -> int:
        """Return the stated length of a recording, milliseconds; 0 if it is unknown.

        Raises RecordingTooLong, BadRequest.
        """
        stated = Probe(None, None)
        with suppress(TimeoutError):
            async with self._probes.place(organization_id, PROBE_PATIENCE_S):
                stated = await probe(path)
        if stated.refused:
            raise BadRequest("file", stated.refused)
        if stated.duration_s is None:
            return 0
        if stated.duration_s > self.limits.max_duration_s:
            raise RecordingTooLong(stated.duration_s, self.limits.max_duration_s)
        return round(stated.duration_s * 1000)

    async def _count_audio(self, connection: Connection, meeting: meetings.NewMeeting, stated_ms: int) -> None:
        """Count the stated length of a recording that is to be analysed; the rest is counted once it is decoded.

        Raises QuotaExceeded.
        """
        today_ms = await quotas.count_audio(connection, meeting.organization_id, meeting.file_hash, stated_ms)
        if today_ms is None:
            return
        use = await self.allowances.find_use(connection, meeting.organization_id)
        if today_ms > use.quotas.minutes_per_day * MS_PER_MINUTE:
            raise minutes_exceeded(use, less_ms=stated_ms)

    async def _read(
        self,
        recording: IncomingRecording,
        chunks: AsyncIterator[UploadChunk],
        decoder: BodyDecoder,
        before_recording: BeforeRecording | None,
        form: UploadForm,
    ) -> UploadBody:
        body: UploadBody | None = None
        async for chunk in chunks:
            if body is None:
                if not chunk.content_type:
                    raise BadRequest("content-type", "missing")
                body = create_body(chunk.content_type, recording, form.text_fields)
                body.before_recording = before_recording
                body.fields.update(chunk.fields)
            if chunk.data:
                # Decompressing, hashing and writing a chunk takes milliseconds: off the event loop.
                await run_to_completion(asyncio.to_thread(_feed, body, decoder, chunk.data))
        if body is None:
            raise BadRequest("body", "missing")
        decoder.close()
        await run_to_completion(asyncio.to_thread(body.close))
        return body


def _require_consent(fields: dict[str, str]) -> None:
    """Check that a consent came before the recording. Raises BadRequest, ConsentRequired."""
    if not parse_consents(fields.get(CONSENT, "")):
        raise ConsentRequired


async def redact_details(connection: Connection, meeting: meetings.NewMeeting) -> meetings.NewMeeting:
    """Return a meeting that is to be accepted with what its organization redacts as well, and its name redacted.

    Names of speakers in it are redacted when they are known, with the answers.
    """
    policy = (await organizations.find(connection, meeting.organization_id)).policy
    kinds = meeting.redact | parse_redaction_kinds(policy.redact)
    return replace(meeting, redact=kinds, name=redact_text(meeting.name, RedactionRules.create(kinds)))


def _feed(body: UploadBody, decoder: BodyDecoder, data: bytes) -> None:
    for part in decoder.decode(data):
        body.feed(part)
