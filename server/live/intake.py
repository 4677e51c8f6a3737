"""Validation of incoming audio chunks against their track."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.audio import InvalidChunk, chunk_positions, split_batch
from server.errors import AudioGap, AudioOverlap, BadRequest, LiveMeetingTooLong, TrackEnded
from server.live.track_log import MeetingAudio, TrackLog

MAX_CHUNK_BYTES = 64 * 1024


async def receive_chunk(audio: MeetingAudio, chunk: pb.AudioChunk, limit_s: float) -> tuple[TrackLog, int]:
    """Validate a chunk and append it to its track's log; ignore a chunk that was received before.

    Args:
        limit_s: maximum length of the meeting, seconds.

    Returns the log and the position of the chunk's end in it. Raises BadRequest, AudioGap, AudioOverlap, TrackEnded,
    LiveMeetingTooLong.
    """
    matching = [log for log in audio.logs if log.track.track_id == chunk.track_id]
    if not matching:
        raise BadRequest("audio.track_id", f"{chunk.track_id!r} is not a track of the meeting")
    if len(chunk.data) > MAX_CHUNK_BYTES:
        raise BadRequest("audio.data", f"{len(chunk.data)} bytes; the limit is {MAX_CHUNK_BYTES} per chunk")
    (track_log,) = matching
    try:
        pieces = split_batch(track_log.track.format, chunk.data) if chunk.length_prefixed else [chunk.data]
        length = sum(chunk_positions(track_log.track.format, piece) for piece in pieces)
    except InvalidChunk as error:
        field, _, fix = str(error).partition(": ")
        raise BadRequest(field, fix) from None
    first, end, expected = chunk.first_sample, chunk.first_sample + length, track_log.accepted
    if end <= expected:
        return track_log, end
    if track_log.track.ended:
        raise TrackEnded(chunk.track_id)
    if first > expected:
        raise AudioGap(chunk.track_id, expected, first)
    if first < expected:
        raise AudioOverlap(chunk.track_id, expected, first, end)
    _check_length(track_log, end, limit_s)
    await audio.append(track_log, *pieces)
    return track_log, end


def _check_length(track_log: TrackLog, end: int, limit_s: float) -> None:
    per_second = track_log.track.format.positions_per_second
    # Ogg bytes carry no fixed rate: assume 64 kB/s, more than any codec in Ogg needs.
    if end / (per_second or 64_000) + track_log.track.start_us / 1e6 > limit_s:
        raise LiveMeetingTooLong(limit_s)
