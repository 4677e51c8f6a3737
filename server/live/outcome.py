"""The outcome of a live meeting, published as its last events.

It is read from the stored, finished meeting, whichever process analysed it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation
from server.insights import TIMELINE, Timeline
from server.lifecycle import MeetingStatus
from server.live.event_log import EventLog
from server.live.insights import build_insights
from server.live.published_state import PublishedState
from server.storage import Database, LiveRow, MeetingAnswer, live, meetings

POLL_EVERY_S = 0.5
PATIENCE_S = 300.0


async def publish_outcome(database: Database, row: LiveRow, events: EventLog, published: PublishedState) -> None:
    """Wait until the meeting is ready or failed, then store its last events.

    Raises MeetingLost when it was deleted or another process holds it, DatabaseUnavailable.
    """
    answer = await _wait_for_outcome(database, row)
    if answer is None:
        return
    if not published.is_finished:
        last_events: list[pb.LiveEvent] = []
        if answer.state.status == MeetingStatus.READY:
            last_events += await _final_events(database, row, answer, published)
        finished = pb.LiveFinished(
            file_hash=row.file_hash,
            meeting_id=str(row.meeting_id),
            status=answer.state.status,
            message=answer.state.message,
        )
        await events.append([*last_events, pb.LiveEvent(finished=finished)])
    conclude = partial(live.conclude, meeting_id=row.meeting_id, fence=row.fence)
    await database.run(conclude, organization_id=row.organization_id, patience_s=PATIENCE_S)


async def _wait_for_outcome(database: Database, row: LiveRow) -> MeetingAnswer | None:
    """Return the meeting with its timeline once it is ready or failed; None when it was deleted."""
    find = partial(
        meetings.find_answer, organization_id=row.organization_id, file_hash=row.file_hash, family=TIMELINE.name
    )
    while True:
        answer = await database.run(find, organization_id=row.organization_id, patience_s=PATIENCE_S)
        if answer is None or answer.state.status in (MeetingStatus.READY, MeetingStatus.FAILED):
            return answer
        await asyncio.sleep(POLL_EVERY_S)


async def _final_events(
    database: Database, row: LiveRow, answer: MeetingAnswer, published: PublishedState
) -> list[pb.LiveEvent]:
    load = partial(meetings.load_conversation, meeting_id=row.meeting_id)
    document = await database.run(load, organization_id=row.organization_id, patience_s=PATIENCE_S)
    conversation = await asyncio.to_thread(Conversation.from_document, document)
    assert answer.value is not None
    timeline = await asyncio.to_thread(Timeline.from_document, TIMELINE.typed(answer.value))
    turns = published.turns
    turns.name({speaker.label: speaker.alias for speaker in answer.speakers})
    watermark = pb.Watermark(
        final_through_ms=conversation.duration_us // 1000, words_final_through_ms=conversation.duration_us // 1000
    )
    insights = build_insights(timeline, conversation.engine.overlap, turns.speaker_id, turns.alias)
    told = [*published.final_changes(replace(conversation, sentences=())), pb.LiveEvent(watermark=watermark)]
    return [*told, *published.follow_alerts(told), pb.LiveEvent(insights=insights)]
