"""Instructions for a live meeting: to flush or finish it, and to change its tracks."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.api.live_validation import MAX_PARTICIPANT_NAME, validate_track
from server.errors import BadRequest, MeetingOver
from server.live import LiveSession, SenderConnection, track_states
from server.visible_text import to_readable

TRACK_CHANGES = ("add_track", "end_track", "rename_track")


async def control(meeting: LiveSession, action: int) -> None:
    """Flush or finish a meeting. Raises BadRequest for another action, and what the session raises."""
    if action == pb.CONTROL_FLUSH:
        await meeting.flush()
    elif action == pb.CONTROL_FINISH:
        if not meeting.finishing:
            await meeting.audit_control()
        meeting.finish()
    else:
        raise BadRequest("control", "must be CONTROL_FLUSH or CONTROL_FINISH")


async def control_by_message(meeting: LiveSession, owner: int, message: pb.ControlMessage) -> pb.ControlMeetingResponse:
    """Carry out the only instruction of a message. Raises BadRequest, TakenOver, and what the session raises."""
    changes = [field.name for field, _ in message.ListFields() if field.name in TRACK_CHANGES]
    if len(changes) + bool(message.action) > 1:
        raise BadRequest("control", f"must have one of action, {', '.join(TRACK_CHANGES)}, not several")
    if not meeting.finishing:
        connection = meeting.sender_slot.require(owner)
    elif changes:
        raise MeetingOver
    if not changes:
        await control(meeting, message.action)
        return pb.ControlMeetingResponse()
    (change,) = changes
    return pb.ControlMeetingResponse(track=await change_tracks(meeting, connection, change, message))


async def change_tracks(
    meeting: LiveSession,
    connection: SenderConnection,
    change: str,
    message: pb.StreamMeetingRequest | pb.ControlMessage,
) -> pb.LiveTrackState:
    """Add, end or rename a track and return how it is now. Raises BadRequest, and as ``TrackChanges``.

    Args:
        change: one of TRACK_CHANGES: the field of ``message`` that says what to change.
    """
    if change == "add_track":
        track_id = message.add_track.track_id
        await meeting.changes.add(validate_track(change, message.add_track), connection)
    elif change == "end_track":
        track_id = message.end_track.track_id
        await meeting.changes.end(track_id, connection)
    else:
        renamed = message.rename_track
        track_id, name = renamed.track_id, to_readable(renamed.participant_name, MAX_PARTICIPANT_NAME)
        await meeting.changes.rename(track_id, renamed.channel, name, connection)
    return next(state for state in track_states(meeting.config) if state.track_id == track_id)
