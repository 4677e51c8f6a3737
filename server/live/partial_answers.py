"""The answers of a live meeting while it runs: what is known so far, by the functions that answer at its end.

They are computed from the stored events, so any process gives them, and never stored. Their cost is bounded: what was
computed is good for some seconds, longer the longer it took, and one computation runs at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.analysis import SentenceReader
from server.conversation import EngineCapabilities, split_sentences
from server.engine import InferenceClient, to_capabilities
from server.fair_slots import FairSlots
from server.insights import Document, Document_co, Family, MeetingFacts
from server.live.config import LiveConfig
from server.live.event_log import READ_LIMIT
from server.live.given_names import find_given_names
from server.live.published_meeting import PublishedMeeting
from server.meetings import run_to_completion
from server.storage import Connection, Database, LiveRow, SpeakerRow, live, live_reports

T = TypeVar("T")
# The answers of a meeting are of one state of it for this long. At most this share of the time goes into one meeting,
# but no state is older than a minute.
FRESH_S, MAX_TIME_SHARE, STALE_S = 3.0, 0.1, 60.0
# For how long a call waits for sentences to be read by the text models; the next call goes on.
READING_S = 5.0
# Meetings of which something is kept: as many as run of one organization by default. For how long it is kept at least
# after the last call; at most twice as long.
MAX_MEETINGS, KEPT_S = 64, 60.0
# How long to wait for what the engine can do, after a start.
ENGINE_WAIT_S = 3.0


@dataclass(frozen=True)
class PartialAnswer(Generic[Document_co]):
    """An answer of a running meeting."""

    value: Document_co
    engine: dict[str, Any]
    speakers: tuple[SpeakerRow, ...]
    through_ms: int
    """It covers the meeting from 0 to here, milliseconds."""
    words_final_through_ms: int
    """Words and their times that end at or before this moment are final."""


class _Snapshot(NamedTuple):
    """One state of a meeting, with everything computed of it."""

    facts: MeetingFacts
    speakers: tuple[SpeakerRow, ...]
    words_final_through_ms: int


class _Meeting:
    """What is kept of one running meeting."""

    def __init__(self, row: LiveRow, inference: InferenceClient) -> None:
        self.published, self.reader = PublishedMeeting(row), SentenceReader(inference)
        self.lock = asyncio.Lock()
        self.used_at = time.monotonic()
        self.snapshot: _Snapshot | None = None
        self._taken_at = 0.0
        self._cost_s = 0.0

    def is_fresh(self) -> bool:
        """Return whether the snapshot is recent enough, for what it cost."""
        age_s = time.monotonic() - self._taken_at
        return self.snapshot is not None and age_s < min(STALE_S, max(FRESH_S, self._cost_s / MAX_TIME_SHARE))

    def take(self, snapshot: _Snapshot) -> None:
        """Replace the snapshot."""
        self.snapshot, self._taken_at = snapshot, time.monotonic()

    def begin(self) -> None:
        """Count the cost of a new snapshot from here."""
        self._cost_s = 0.0

    async def compute(self, work: Callable[[], T]) -> T:
        """Return ``work()``, run in a thread to its end, whoever goes away; its time counts as cost."""
        began = time.monotonic()
        try:
            return await run_to_completion(asyncio.to_thread(work))
        finally:
            self._cost_s += time.monotonic() - began


class PartialAnswers:
    """Answer for running live meetings of any organization."""

    def __init__(self, database: Database, inference: InferenceClient) -> None:
        self._database, self._inference = database, inference
        self._meetings: OrderedDict[UUID, _Meeting] = OrderedDict()
        self._places: FairSlots[UUID] = FairSlots(1)
        self._sweeping: asyncio.TimerHandle | None = None

    async def get(
        self, organization_id: UUID, file_hash: str, family: Family[Document]
    ) -> PartialAnswer[Document] | None:
        """Return what is known so far; None where the organization has no live meeting of this hash.

        Raises DatabaseUnavailable.
        """
        row = await self._database.run(
            partial(_find, organization_id=organization_id, file_hash=file_hash), organization_id=organization_id
        )
        if row is None:
            return None
        meeting = self._meeting(row)
        async with meeting.lock:
            if not meeting.is_fresh():
                await self._look(meeting, row)
            snapshot = meeting.snapshot
            assert snapshot is not None
            async with self._places.place(organization_id):
                document = await meeting.compute(partial(snapshot.facts.document, family))
        conversation = snapshot.facts.conversation
        return PartialAnswer(
            document,
            asdict(conversation.engine),
            snapshot.speakers,
            conversation.duration_us // 1000,
            snapshot.words_final_through_ms,
        )

    def _meeting(self, row: LiveRow) -> _Meeting:
        meeting = self._meetings.pop(row.meeting_id, None) or _Meeting(row, self._inference)
        idle = [id_ for id_, known in self._meetings.items() if not known.lock.locked()]
        for id_ in idle[: len(self._meetings) - MAX_MEETINGS + 1]:
            del self._meetings[id_]
        self._meetings[row.meeting_id] = meeting
        meeting.used_at = time.monotonic()
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEPT_S, self._sweep)
        return meeting

    def _sweep(self) -> None:
        """Let go of what nobody has asked for of late: meetings end, and some are deleted."""
        self._sweeping = None
        now = time.monotonic()
        for id_, known in list(self._meetings.items()):
            if now - known.used_at >= KEPT_S:
                del self._meetings[id_]
        if self._meetings:
            self._sweeping = asyncio.get_running_loop().call_later(KEPT_S, self._sweep)

    async def _look(self, meeting: _Meeting, row: LiveRow) -> None:
        """Bring a meeting's snapshot up to what is stored now."""
        given = await self._database.run(
            partial(find_given_names, meeting_id=row.meeting_id), organization_id=row.organization_id
        )
        events = await self._new_events(meeting.published, row)
        config = LiveConfig.from_document(row.config)
        engine = await self._engine(config, row)
        meeting.begin()
        async with self._places.place(row.organization_id):
            await meeting.compute(partial(_apply, meeting.published, events))
            conversation = await meeting.compute(partial(meeting.published.conversation, config, engine))
            sentences = await meeting.compute(partial(split_sentences, conversation))
        sentences = await meeting.reader.read(sentences, READING_S)
        conversation = replace(conversation, sentences=sentences)
        speakers = meeting.published.speakers(config, conversation, given)
        facts = MeetingFacts(conversation)
        meeting.take(_Snapshot(facts, speakers, meeting.published.words_final_through_ms))

    async def _new_events(self, published: PublishedMeeting, row: LiveRow) -> list[bytes]:
        """Return the payloads of the events that are new, without those that others among them replace."""
        run = partial(self._database.run, organization_id=row.organization_id)
        if not published.last_seq:
            current = partial(live_reports.current_events, organization_id=row.organization_id)
            return await run(partial(current, meeting_id=row.meeting_id))
        events: list[bytes] = []
        last_seq = published.last_seq
        while batch := await run(
            partial(live.events_after, meeting_id=row.meeting_id, event_seq=last_seq, limit=READ_LIMIT)
        ):
            events += batch
            last_seq = pb.LiveEvent.FromString(batch[-1]).event_seq
        return events

    async def _engine(self, config: LiveConfig, row: LiveRow) -> EngineCapabilities:
        await self._inference.wait_for_capabilities(ENGINE_WAIT_S)
        reported = self._inference.capabilities
        known = EngineCapabilities() if reported is None else to_capabilities(reported)
        return replace(known, overlap=known.overlap or len(config.tracks) - len(row.ignored_tracks) > 1)


def _apply(published: PublishedMeeting, payloads: list[bytes]) -> None:
    published.apply(map(pb.LiveEvent.FromString, payloads))


async def _find(connection: Connection, organization_id: UUID, file_hash: str) -> LiveRow | None:
    id_ = await live_reports.find_session(connection, organization_id, file_hash)
    return None if id_ is None else await live.find(connection, organization_id, id_)
