"""All live meetings held by this process: opened, resumed, supervised and released."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

from monitoring import MemoryReserve
from privacy import add_log_context
from server.audio import StoreUnavailable
from server.auth import Caller, SessionClaims
from server.config import ServerSettings
from server.conversation import format_redaction_kinds, parse_redaction_kinds
from server.descriptors import descriptors_are_scarce
from server.disk import DiskFull, DiskReserve
from server.engine import Overload
from server.errors import (
    AudioDeleted,
    AudioNotStored,
    ConsentRequired,
    HeldByAnotherServer,
    MeetraError,
    ServerOverloaded,
    SessionNotFound,
    TooManyLiveMeetings,
    TranscriptDeleted,
    Unauthenticated,
)
from server.live.config import LiveConfig
from server.live.dependencies import LiveDependencies
from server.live.figures import LiveFigures
from server.live.followed_meeting import FollowedMeeting, FollowedMeetings
from server.live.holder_reports import HolderReports
from server.live.known_language import require_known_language
from server.live.lease import RENEWALS_PER_LEASE
from server.live.partial_answers import PartialAnswers
from server.live.rules import join_rules, rules_from_documents
from server.live.session import LiveSession
from server.live.state import LiveState
from server.meetings import require_room_for_live_meeting
from server.redaction import RedactionRules, redact_text
from server.storage import (
    WANTED_CHANNEL,
    Connection,
    DatabaseUnavailable,
    HeldElsewhere,
    LiveRow,
    MeetingLost,
    WantedBy,
    live,
    live_leases,
    live_names,
    live_rules,
    meetings,
    organizations,
    quotas,
)

log = logging.getLogger(__name__)
SUPERVISE_EVERY_S = 2.0
# For each organization with live meetings one statement.
FENCE_CHECK_EVERY_S = 10.0
# Longer than the longest pause between two attempts to reach the engine.
ENGINE_WAIT_S = 3.0
# Between two tries to hear what other processes want; supervision finds out too, with its reports.
LISTEN_AGAIN_S = 2.0


def live_file_hash(meeting_id: UUID) -> str:
    """Return the hash that names a live meeting: derived from its id, so unique and known from the start."""
    return hashlib.sha256(b"meetra live meeting " + meeting_id.bytes).hexdigest()


async def create_within_limits(
    connection: Connection, settings: ServerSettings, row: LiveRow, config: LiveConfig, key_id: UUID | None
) -> None:
    """Create a live meeting's rows.

    Args:
        key_id: of the API key with which it is opened; None: of none.

    Raises TooManyLiveMeetings and QuotaExceeded where the organization has its limit, and ConsentRequired where its
    policy wants consents.
    """
    if not config.consents and (await organizations.find(connection, row.organization_id)).policy.consent_required:
        raise ConsentRequired
    running, tracks = await live.count_running(connection, but=row.meeting_id)
    if running >= settings.live_meetings_per_organization:
        raise TooManyLiveMeetings(settings.live_meetings_per_organization, "organization")
    if tracks + len(config.tracks) > settings.live_tracks_per_organization:
        raise TooManyLiveMeetings(settings.live_tracks_per_organization, "organization", "tracks")
    require_room_for_live_meeting(await quotas.find_use(connection, row.organization_id, settings.quotas))
    await live.create(
        connection,
        row,
        name=config.name,
        held_on=config.held_on,
        n_speakers=config.n_speakers,
        language=config.language,
        key_terms=config.recognition_terms(),
        consents_given=config.consents,
        redact=config.redact,
        key_id=key_id,
    )


async def redact_config(connection: Connection, organization_id: UUID, config: LiveConfig) -> LiveConfig:
    """Return a config with what its organization redacts as well, and the meeting's name redacted."""
    policy = (await organizations.find(connection, organization_id)).policy
    kinds = config.redacted_kinds | parse_redaction_kinds(policy.redact)
    name = redact_text(config.name, RedactionRules.create(kinds, config.participant_names().values()))
    return replace(config, redact=format_redaction_kinds(kinds), name=name)


async def prepare_config(connection: Connection, organization_id: UUID, config: LiveConfig) -> LiveConfig:
    """Return a config as the meeting keeps it: redacted by its organization's policy, with its organization's rules."""
    rules = rules_from_documents(await live_rules.find(connection, organization_id))
    config = await redact_config(connection, organization_id, config)
    return replace(config, rules=join_rules(config.rules, rules))


class LiveSessionRegistry:
    """Registry of the live meetings held by this process."""

    def __init__(self, dependencies: LiveDependencies) -> None:
        self._dependencies = dependencies
        settings = dependencies.settings
        self._disk = DiskReserve(dependencies.audio_log.root, settings.disk_reserve_bytes)
        self._memory = MemoryReserve(settings.memory_reserve_bytes)
        self._sessions: dict[UUID, LiveSession] = {}
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opening = 0
        """Meetings that are being opened: they count, and are not held yet."""
        self._next_fence_check_at = 0.0
        self._stopping = False
        self._wanted = asyncio.Event()
        self._dropping: set[asyncio.Task[None]] = set()
        self._unattended: dict[UUID, float] = {}
        """Meetings that others hold, or nobody, and that nobody attends: since when, by the monotonic clock."""
        self._reports = HolderReports(dependencies.database, settings.lease_s)
        self._figures = LiveFigures()
        self._followed = FollowedMeetings(dependencies.database, self._take_up)
        self.partial_answers = PartialAnswers(dependencies.database, dependencies.analyzer.inference)
        """Answers for running meetings, whichever process holds them."""

    async def open(self, config: LiveConfig, caller: Caller) -> LiveSession:
        """Open a new meeting; on failure no meeting remains.

        Raises PermissionDenied for a session token, ConsentRequired, TooManyLiveMeetings, QuotaExceeded,
        DatabaseUnavailable, DiskFull.
        """
        caller.require_session(None)
        if self._stopping:
            raise HeldByAnotherServer
        limit = self._dependencies.settings.live_max_meetings
        if self._opening + sum(meeting.running for meeting in self._sessions.values()) >= limit:
            raise TooManyLiveMeetings(limit)
        own = sum(m.running and m.row.organization_id == caller.organization_id for m in self._sessions.values())
        # The database knows those of other processes too; who has too many here is refused without asking it.
        if own >= self._dependencies.settings.live_meetings_per_organization:
            raise TooManyLiveMeetings(self._dependencies.settings.live_meetings_per_organization, "organization")
        self._disk.require()
        self._opening += 1
        try:
            return await self._open(config, caller)
        finally:
            self._opening -= 1

    async def require_room(self, organization_id: UUID) -> None:
        """Check that a further meeting of an organization can be followed in time. Raises ServerOverloaded."""
        if self._memory.is_short():
            raise ServerOverloaded(Overload.MEMORY)
        if (overload := await self._dependencies.analyzer.inference.live_overload(str(organization_id))) is not None:
            raise ServerOverloaded(overload)

    async def _open(self, config: LiveConfig, caller: Caller) -> LiveSession:
        prepare = partial(prepare_config, organization_id=caller.organization_id, config=config)
        config = await self._dependencies.database.run(prepare, organization_id=caller.organization_id)
        id_ = uuid4()
        add_log_context(meeting=id_)
        row = LiveRow(
            meeting_id=id_,
            organization_id=caller.organization_id,
            user_id=caller.user_id,
            file_hash=live_file_hash(id_),
            status="receiving",
            config=config.to_document(),
            fence=0,
            owner=0,
            finished=False,
            concluded=False,
            ignored_tracks=(),
        )
        settings = self._dependencies.settings
        create = partial(create_within_limits, settings=settings, row=row, config=config, key_id=caller.key_id)
        await self._dependencies.database.run(create, organization_id=row.organization_id)
        try:
            return await self._acquire(row, sends=True)
        except (DiskFull, TooManyLiveMeetings):
            # No client knows of the meeting yet.
            delete_row = partial(meetings.delete, organization_id=row.organization_id, file_hash=row.file_hash)
            await self._dependencies.database.run(delete_row, organization_id=row.organization_id)
            raise

    async def find(
        self, session_id: UUID, caller: Caller, *, take_over: bool = False, owner: int | None = None
    ) -> LiveSession:
        """Return a meeting of the caller's organization, acquiring it unless this process holds it already.

        Where another process holds it, that one is asked to let go; the caller is told to come again.

        Args:
            take_over: whether the caller replaces a client that is connected.
            owner: number of the connection that the caller says is its own.

        Raises PermissionDenied and Unauthenticated for a session token of another meeting, or of one that ended,
        SessionNotFound, AudioDeleted, TranscriptDeleted, HeldByAnotherServer, AudioNotStored, TooManyLiveMeetings,
        DatabaseUnavailable.
        """
        row = await self.look_up(session_id, caller)
        try:
            meeting = await self._take_up(row, sends=True)
        except HeldByAnotherServer:
            if not self._stopping:
                by = WantedBy.ITS_CLIENT if owner and owner == row.owner else WantedBy.CLIENT
                by = WantedBy.REPLACING_CLIENT if take_over else by
                want = partial(live_leases.want, organization_id=row.organization_id, meeting_id=row.meeting_id, by=by)
                await self._dependencies.database.run(want, organization_id=row.organization_id)
            raise
        if owner and owner == meeting.row.owner:
            meeting.sender_slot.adopt(owner)
        return meeting

    async def watch(self, session_id: UUID, caller: Caller) -> LiveSession | FollowedMeeting:
        """As ``find``, for a watcher: where another process holds the meeting, it is followed from here."""
        row = await self.look_up(session_id, caller)
        try:
            return await self._take_up(row)
        except HeldByAnotherServer:
            if self._stopping:
                raise
            return await self._followed.follow(row)

    async def _take_up(self, row: LiveRow, *, sends: bool = False) -> LiveSession:
        try:
            return await self._acquire(row, sends=sends)
        except DiskFull:
            raise AudioNotStored from None

    async def look_up(self, session_id: UUID, caller: Caller) -> LiveRow:
        """Return the row of a meeting of the caller's organization. Raises what ``find`` does before it acquires."""
        caller.require_session(session_id)
        row = await self._row(caller.organization_id, session_id)
        add_log_context(meeting=row.meeting_id)
        if row.long_over and isinstance(caller.credential, SessionClaims):
            raise Unauthenticated
        return row

    async def _acquire(self, row: LiveRow, *, sends: bool, takes_expired: bool = True) -> LiveSession:
        async with self._locks[row.meeting_id]:
            existing = self._sessions.get(row.meeting_id)
            if existing is not None and not existing.lost:
                return existing
            if self._stopping:
                raise HeldByAnotherServer
            if existing is not None:
                await self._release(existing)
            if await asyncio.to_thread(descriptors_are_scarce):
                log.error("no live meeting is taken up: this process has few descriptors left; raise `ulimit -n`")
                raise TooManyLiveMeetings(self._dependencies.settings.live_max_meetings)
            try:
                meeting = await LiveSession.acquire(self._dependencies, row, sends=sends, takes_expired=takes_expired)
            except HeldElsewhere:
                raise HeldByAnotherServer from None
            except MeetingLost:
                raise await self._not_acquired(row) from None
            self._sessions[row.meeting_id] = meeting
            return meeting

    async def _not_acquired(self, row: LiveRow) -> MeetraError:
        """Return why a meeting was lost while it was taken up."""
        find = partial(live.find, organization_id=row.organization_id, meeting_id=row.meeting_id)
        if await self._dependencies.database.run(find, organization_id=row.organization_id) is not None:
            # A later holder came before this one had begun: the files are that one's.
            return HeldByAnotherServer()
        # Deleted just now: its files may have been made anew after the deletion removed them.
        if self._dependencies.keeper is not None:
            await self._dependencies.keeper.remove_deleted(row.organization_id, row.file_hash)
        else:
            await asyncio.to_thread(self._dependencies.audio_log.remove, row.organization_id, row.file_hash)
        return SessionNotFound()

    async def _release(self, meeting: LiveSession) -> None:
        self._sessions.pop(meeting.row.meeting_id, None)
        await meeting.close()

    async def discard(self, organization_id: UUID, file_hash: str) -> None:
        """Let go of a meeting whose rows are deleted, with everything it holds, before its files are removed."""
        for meeting in list(self._sessions.values()):
            if (meeting.row.organization_id, meeting.row.file_hash) == (organization_id, file_hash):
                await self._drop(meeting, SessionNotFound(deleted=True))

    def _drop_soon(self, meeting: LiveSession, failure: MeetraError | None = None) -> None:
        """As ``_drop``, while others are supervised: an object store may take its time."""
        self._dropping.add(task := asyncio.create_task(self._drop(meeting, failure), name="let go of a live meeting"))
        task.add_done_callback(self._dropping.discard)

    async def _drop(self, meeting: LiveSession, failure: MeetraError | None = None) -> None:
        """Release a meeting unless that happened meanwhile; its clients are told ``failure``."""
        id_ = meeting.row.meeting_id
        async with self._locks[id_]:
            if self._sessions.get(id_) is meeting:
                if failure is not None:
                    meeting.mark_lost(failure)
                await self._release(meeting)
        if not self._locks[id_].locked():
            del self._locks[id_]

    async def wait_for_engine(self) -> None:
        """Wait for the engine's capabilities, for at most 3 s: audio is accepted without an engine."""
        await self._dependencies.analyzer.inference.wait_for_capabilities(ENGINE_WAIT_S)

    async def require_known_language(self, language: str) -> None:
        """See the function of that name."""
        await require_known_language(self._dependencies.analyzer.inference, language)

    async def supervise(self) -> None:
        """Supervise until cancelled.

        Renew leases, let go of meetings whose clients are elsewhere, finish abandoned ones, publish missing outcomes,
        release concluded ones.
        """
        listen = self._dependencies.database.keep_listening(WANTED_CHANNEL, self._on_wanted, LISTEN_AGAIN_S)
        listening = asyncio.create_task(listen, name="live meetings that are wanted elsewhere")
        every_s = min(SUPERVISE_EVERY_S, self._dependencies.settings.lease_s / RENEWALS_PER_LEASE)
        try:
            while True:
                self._wanted.clear()
                # First: what is released below has told all that it was.
                self._figures.measure(self._sessions.values())
                try:
                    await self._supervise_once()
                except (DatabaseUnavailable, OSError) as error:
                    log.warning("live meetings: %s", error)
                except Exception:
                    log.exception("supervising live meetings")
                with suppress(TimeoutError):
                    async with asyncio.timeout(every_s):
                        await self._wanted.wait()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _on_wanted(self, meeting_id: str) -> None:
        """Look at once what other processes want, if it is of a meeting that this one holds."""
        with suppress(ValueError):
            if UUID(meeting_id) in self._sessions:
                self._reports.report_now()
                self._wanted.set()

    async def _supervise_once(self) -> None:
        await self._mark_fenced_out()
        for meeting in list(self._sessions.values()):
            if meeting.abandoned:
                log.info("live meeting %s: its grace period expired, finishing it", meeting.row.meeting_id)
                meeting.finish()
            if meeting.lost or (meeting.state is LiveState.CONCLUDED and not meeting.presence.attended()):
                self._drop_soon(meeting)
        for meeting in await self._reports.write(self._sessions.values()):
            log.info("live meeting %s goes to the server that its client has come to", meeting.row.meeting_id)
            meeting.sender_slot.give_up()
            self._drop_soon(meeting, HeldByAnotherServer())
        connected = [id_ for id_, meeting in self._sessions.items() if not meeting.presence.absent_s()]
        if connected:
            await self._dependencies.database.run(partial(live.record_contact, meeting_ids=connected))
        unattended = await self._dependencies.database.run(
            partial(live.find_unattended, grace_s=self._dependencies.settings.live_grace_s)
        )
        now = time.monotonic()
        self._unattended = {id_: self._unattended.get(id_, now) for _, id_ in unattended if id_ not in self._sessions}
        for organization_id, id_ in unattended:
            if id_ not in self._sessions:
                # Where the database was away, a holder needs time to say that it is there.
                gone = now - self._unattended[id_] > self._dependencies.settings.lease_s
                with suppress(HeldByAnotherServer, SessionNotFound, DiskFull, StoreUnavailable, TooManyLiveMeetings):
                    row = await self._row(organization_id, id_)
                    (await self._acquire(row, sends=False, takes_expired=gone)).finish()

    def adopt_names(self, meeting_id: UUID) -> None:
        """Show the names that are stored as given by hand in the turns of a meeting, if this process holds it."""
        meeting = self._sessions.get(meeting_id)
        if meeting is not None and meeting.state is LiveState.OPEN:
            meeting.adopt_names()

    async def _mark_fenced_out(self) -> None:
        """Mark meetings as lost that were deleted, or acquired, by another process: silent ones write nothing.

        Names given to their speakers in another process are adopted too.
        """
        now = time.monotonic()
        if now < self._next_fence_check_at:
            return
        self._next_fence_check_at = now + FENCE_CHECK_EVERY_S
        by_organization: defaultdict[UUID, list[LiveSession]] = defaultdict(list)
        for meeting in self._sessions.values():
            by_organization[meeting.row.organization_id].append(meeting)
        for organization_id, held in by_organization.items():
            ids = [meeting.row.meeting_id for meeting in held]
            revisions = [meeting.turns.names.revision for meeting in held]
            found = await self._dependencies.database.run(
                partial(live.fences, meeting_ids=ids), organization_id=organization_id
            )
            given = await self._dependencies.database.run(
                partial(live_names.given, meeting_ids=ids), organization_id=organization_id
            )
            for meeting, revision in zip(held, revisions, strict=True):
                if meeting.state is LiveState.OPEN and meeting.turns.names.revision == revision:
                    meeting.turns.name(given.get(meeting.row.meeting_id, {}))
                fence = found.get(meeting.row.meeting_id)
                if fence != meeting.row.fence:
                    meeting.mark_lost(SessionNotFound(deleted=True) if fence is None else HeldByAnotherServer())

    async def _row(self, organization_id: UUID, id_: UUID) -> LiveRow:
        query = partial(live.find, organization_id=organization_id, meeting_id=id_)
        row = await self._dependencies.database.run(query, organization_id=organization_id)
        if row is None:
            raise SessionNotFound
        if row.transcript_deleted_at is not None:
            raise TranscriptDeleted(row.transcript_deleted_at)
        if row.audio_deleted_at is not None:
            raise AudioDeleted(row.audio_deleted_at)
        return row

    async def close(self) -> None:
        """Release all meetings; clients are told to reconnect."""
        self._stopping = True
        await self._followed.close()
        sessions, self._sessions = list(self._sessions.values()), {}
        closing = (meeting.close(HeldByAnotherServer()) for meeting in sessions)
        await asyncio.gather(*closing, *list(self._dropping))
