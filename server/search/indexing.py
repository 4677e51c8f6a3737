"""The index of search: written with the answers of a meeting, and for meetings that an earlier version stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from uuid import UUID

from server.conversation import Conversation, apply_edits, edit_from_document
from server.insights import TOPICS, Answer, Topic
from server.search.sentences import INDEX_VERSION, searchable_sentences
from server.storage import Connection, Database, DatabaseUnavailable, insights, search, speakers

LOOK_EVERY_S = 3600.0
BATCH = 20
log = logging.getLogger(__name__)


async def index_meeting(
    connection: Connection,
    organization_id: UUID,
    meeting_id: UUID,
    conversation: Conversation,
    answers: Mapping[str, Answer],
) -> None:
    """Index a finished meeting instead of what was indexed of it, within the caller's transaction.

    Args:
        conversation: with the corrections in force.
        answers: of all families, made of it.
    """
    topics = TOPICS.typed(answers[TOPICS.name].document)["topics"]
    await _store(connection, organization_id, meeting_id, conversation, topics)


async def _store(
    connection: Connection, organization_id: UUID, meeting_id: UUID, conversation: Conversation, topics: list[Topic]
) -> None:
    rows = await asyncio.to_thread(searchable_sentences, conversation, topics)
    await search.replace(connection, organization_id, meeting_id, INDEX_VERSION, rows)


class SearchIndexing:
    """Index meetings that were stored before this version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unreadable: set[UUID] = set()
        """Meetings that this process could not index."""

    async def run(self) -> None:
        """Index what is to be indexed, now and every hour; until cancelled."""
        while True:
            try:
                if indexed := await self.index_all():
                    log.info("indexed %d meetings for search", indexed)
            except DatabaseUnavailable as error:
                log.warning("meetings stay out of search until the next look: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def index_all(self) -> int:
        """Index every meeting that is not indexed, the newest first, and return how many. Raises DatabaseUnavailable.

        Several processes may do this at once: a meeting that another has locked is left to it.
        """
        indexed, passed_over = 0, set(self._unreadable)
        while True:
            passed = list(passed_over)
            found = await self._database.run(lambda c, p=passed: search.find_unindexed(c, INDEX_VERSION, p, BATCH))  # type: ignore[misc]
            if not found:
                return indexed
            for meeting_id, organization_id in found:
                passed_over.add(meeting_id)
                indexed += await self._index(organization_id, meeting_id)

    async def _index(self, organization_id: UUID, meeting_id: UUID) -> bool:
        async def work(connection: Connection) -> bool:
            if not await search.try_lock_meeting(connection, organization_id, meeting_id):
                return False
            document = await speakers.lock_conversation(connection, meeting_id)
            topics = await insights.load(connection, meeting_id, TOPICS.name)
            if document is None or topics is None:
                return False
            edits = [edit_from_document(edit) for edit in await speakers.list_edits(connection, meeting_id)]
            conversation = await asyncio.to_thread(lambda: apply_edits(Conversation.from_document(document), edits))
            await _store(connection, organization_id, meeting_id, conversation, TOPICS.typed(topics)["topics"])
            return True

        try:
            return await self._database.run(work, organization_id=organization_id)
        except DatabaseUnavailable:
            raise
        except Exception:
            # One that cannot be read holds up no other.
            self._unreadable.add(meeting_id)
            log.exception("a meeting stays out of search")
            return False
