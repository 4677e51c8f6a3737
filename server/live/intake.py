"""Validation of incoming audio chunks against their track."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.audio import Edit, InvalidChunk, chunk_positions, is_quiet, split_batch
from server.errors import AudioGap, AudioOverlap, BadRequest, LiveMeetingTooLong, TrackEnded
from server.live.capture_clock import STEP_US
from server.live.source_log import TrackLog
from server.live.track_log import MeetingAudio

MAX_CHUNK_BYTES = 64 * 1024
# Pauses of a track, told by the client or by its clock; live.proto says so.
MAX_PAUSES = 10_000


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
    _check_times(track_log, chunk)
    try:
        pieces = split_batch(track_log.track.format, chunk.data) if chunk.length_prefixed else [chunk.data]
        length = sum(chunk_positions(track_log.track.format, piece) for piece in pieces)
    except InvalidChunk as error:
        field, _, fix = str(error).partition(": ")
        raise BadRequest(field, fix) from None
    # The silence before a chunk is a part of it.
    first, end, expected = chunk.first_sample - chunk.gap_samples, chunk.first_sample + length, track_log.accepted
    if end <= expected:
        return track_log, end
    if track_log.track.ended:
        raise TrackEnded(chunk.track_id)
    if first > expected:
        raise AudioGap(chunk.track_id, expected, first)
    if first < expected:
        raise AudioOverlap(chunk.track_id, expected, first, end)
    pauses = _pauses(track_log, chunk)
    _check_length(track_log, end, sum(pause.silence for pause in pauses) + length, limit_s)
    if pauses:
        if track_log.pauses + len(pauses) > MAX_PAUSES:
            field = "gap_samples" if chunk.gap_samples else "captured_ms"
            raise BadRequest(f"audio.{field}", f"the track has paused {MAX_PAUSES} times; send silence for its pauses")
        track_log.pauses += len(pauses)
    await audio.append(track_log, *pieces, edits=[*pauses, *_steps(track_log, chunk, pauses)])
    return track_log, end


def _check_times(track_log: TrackLog, chunk: pb.AudioChunk) -> None:
    for field in ("gap_samples", "captured_ms"):
        stated = chunk.gap_samples > 0 if field == "gap_samples" else chunk.HasField("captured_ms")
        if stated and track_log.track.format.positions_per_second is None:
            raise BadRequest(
                f"audio.{field}",
                "not for a container, whose positions are bytes: omit it. WebM states its pauses in its own times; for"
                " other pauses send silence, or raw Opus packets (AUDIO_ENCODING_OPUS)",
            )
    if chunk.gap_samples > chunk.first_sample:
        raise BadRequest(
            "audio.gap_samples",
            f"{chunk.gap_samples}, more than first_sample, {chunk.first_sample}: its silence counts in first_sample",
        )


def _pauses(track_log: TrackLog, chunk: pb.AudioChunk) -> list[Edit]:
    """Return the silence before a chunk: what it declares, and then what its capture time tells."""
    pauses = []
    if chunk.gap_samples:
        pauses.append(Edit(track_log.recorded, chunk.gap_samples, True))
    if chunk.HasField("captured_ms"):
        captured_us, moment_us = chunk.captured_ms * 1000, track_log.moment_us(chunk.gap_samples)
        first = not track_log.recorded and not chunk.gap_samples
        if late_us := track_log.clock.pause_us(captured_us, moment_us, first=first):
            pauses.append(Edit(track_log.recorded, track_log.samples(late_us), False))
    return [pause for pause in pauses if pause.silence]


def _steps(track_log: TrackLog, chunk: pb.AudioChunk, pauses: list[Edit]) -> list[Edit]:
    """Return what makes up for a small difference between capture times and positions, directly before a chunk."""
    if not chunk.HasField("captured_ms"):
        return []
    moment_us = track_log.moment_us(sum(pause.silence for pause in pauses))
    quiet = is_quiet(track_log.track.format, chunk.data, track_log.samples(STEP_US))
    step_us = track_log.clock.step_us(chunk.captured_ms * 1000, moment_us, quiet=quiet)
    return [Edit(track_log.recorded, track_log.samples(step_us), False)] if step_us else []


def _check_length(track_log: TrackLog, end: int, more: int, limit_s: float) -> None:
    """Check that a track, ending at position ``end`` and getting ``more`` samples longer, fits into the meeting."""
    per_second = track_log.track.format.positions_per_second
    # Ogg bytes carry no fixed rate: assume 64 kB/s, more than any codec in Ogg needs.
    longest = max(end, track_log.length + more)
    if longest / (per_second or 64_000) + track_log.track.start_us / 1e6 > limit_s:
        raise LiveMeetingTooLong(limit_s)
