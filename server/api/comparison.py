"""ComparisonService: the finished meetings of an organization side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from grpc import aio
from meetra.v1 import comparison_pb2 as pb
from meetra.v1 import comparison_pb2_grpc, insights_pb2

from server.api import insight_messages as messages
from server.api.validation import (
    format_page_token,
    parse_moment,
    parse_page_token,
    parse_uuid,
    validate_file_hash,
    validate_page_size,
)
from server.auth import current_caller
from server.errors import BadRequest, VoiceNotFound
from server.insights import (
    AUDIO_QUALITY,
    BALANCE,
    ENERGY,
    INTERACTION_SCORE,
    MEETING_EMOTIONS,
    SENTIMENT,
    SHARES,
    Document,
    Family,
    quality_of_scores,
)
from server.moments import utc_text
from server.storage import Connection, Database, ScoredMeeting, ScoresFilter, meeting_scores, voices

Context = aio.ServicerContext[Any, Any]
MAX_PAGE_SIZE = 200
MAX_FILE_HASHES = 100
# Families of single scores, by their names among the drivers of quality.
SCORES: Mapping[str, Family[Any]] = {
    "balance": BALANCE,
    "interaction": INTERACTION_SCORE,
    "energy": ENERGY,
    "sentiment": SENTIMENT,
    "emotions": MEETING_EMOTIONS,
}
FAMILIES = tuple(family.name for family in (*SCORES.values(), SHARES, AUDIO_QUALITY))


class ComparisonServicer(comparison_pb2_grpc.ComparisonServiceServicer):
    """See proto/meetra/v1/comparison.proto."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListMeetingScores(  # noqa: N802
        self, request: pb.ListMeetingScoresRequest, context: Context
    ) -> pb.ListMeetingScoresResponse:
        """See ComparisonService.ListMeetingScores."""
        organization_id = current_caller().organization_id
        size, after = validate_page_size(request.page_size, MAX_PAGE_SIZE), parse_page_token(request.page_token)
        wanted = _filter(request)

        async def query(connection: Connection) -> list[ScoredMeeting]:
            if wanted.voice_id and not await voices.exists(connection, organization_id, wanted.voice_id):
                raise VoiceNotFound
            # One more than requested tells whether there is another page.
            return await meeting_scores.list_page(connection, organization_id, FAMILIES, wanted, size + 1, after)

        found = await self._database.run(query, organization_id=organization_id)
        page = found[:size]
        token = format_page_token(page[-1].held_at, page[-1].id) if len(found) > size else ""
        return pb.ListMeetingScoresResponse(meetings=map(scores_message, page), next_page_token=token)


def _filter(request: pb.ListMeetingScoresRequest) -> ScoresFilter:
    """Return what a request selects. Raises BadRequest."""
    if len(request.file_hashes) > MAX_FILE_HASHES:
        raise BadRequest("file-hash", f"{len(request.file_hashes)} given; must be at most {MAX_FILE_HASHES}")
    return ScoresFilter(
        parse_moment("from", request.from_time),
        parse_moment("to", request.to_time),
        parse_uuid("voice", request.voice) if request.voice else None,
        tuple(validate_file_hash(value) for value in request.file_hashes),
    )


def _document(meeting: ScoredMeeting, family: Family[Document]) -> Document | None:
    found = meeting.answers.get(family.name)
    return None if found is None else family.typed(found[1])


def scores_message(meeting: ScoredMeeting) -> pb.MeetingScores:
    """Return a meeting with its scores, as callers see them."""
    balance, interaction = _document(meeting, BALANCE), _document(meeting, INTERACTION_SCORE)
    energy, sentiment = _document(meeting, ENERGY), _document(meeting, SENTIMENT)
    emotions = _document(meeting, MEETING_EMOTIONS)
    message = pb.MeetingScores(
        file_hash=meeting.file_hash,
        name=meeting.name,
        date=meeting.held_on or "",
        held_at=utc_text(meeting.held_at),
        duration_ms=meeting.duration_ms or 0,
        language=meeting.language or None,
        balance_score=balance["score"] if balance else None,
        meeting_interaction_score=interaction["score"] if interaction else None,
        meeting_energy=energy["score"] if energy else None,
        sentiment_score=sentiment["score"] if sentiment else None,
        meeting_emotions=messages.emotion_shares(emotions) if emotions else None,
        reason=(sentiment.get("reason") or sentiment["support"].get("note")) if sentiment else None,
        flow=_flow(meeting.flow) if meeting.flow is not None else None,
        participants=_participants(meeting),
        definition_versions={
            name: meeting.answers[family.name][0] for name, family in SCORES.items() if family.name in meeting.answers
        },
    )
    if balance and interaction and energy and sentiment:
        quality = quality_of_scores(balance, interaction, energy, sentiment)
        message.quality_score = quality["quality_score"]
        message.drivers.extend(insights_pb2.QualityDriver(**driver) for driver in quality["drivers"])
        message.support.CopyFrom(messages.support(quality["support"]))
    return message


def _flow(flow: Mapping[str, Any]) -> pb.MeetingFlow:
    return pb.MeetingFlow(
        silence_ms=flow["silence_ms"],
        longest_silence_ms=flow["longest_silence_ms"],
        overlap_ratio=flow.get("overlap_ratio"),
        turns_per_minute=flow["turns_per_minute"],
        response_latency_ms=flow.get("response_latency_ms"),
    )


def _participants(meeting: ScoredMeeting) -> list[pb.MeetingParticipant]:
    shares, audio = _document(meeting, SHARES), _document(meeting, AUDIO_QUALITY)
    share_of = {share["label"]: share for share in shares["speakers"]} if shares else {}
    audio_of = {heard["speaker"]: heard for heard in audio["speakers"]} if audio else {}
    flow_of = {part["speaker"]: part for part in (meeting.flow or {}).get("speakers", ())}
    listed = []
    for speaker in meeting.speakers:
        share, heard = share_of.get(speaker.label), audio_of.get(speaker.label)
        part = flow_of.get(speaker.label, {})
        listed.append(
            pb.MeetingParticipant(
                id=str(speaker.id),
                alias=speaker.alias,
                voice=_text(speaker.voice_id),
                meeting_speaking_percentage=share["percentage"] if share else None,
                speaking_ms=share["speaking_ms"] if share else None,
                turns=part.get("turns"),
                longest_monologue_ms=part.get("longest_monologue_ms"),
                words_per_minute=part.get("words_per_minute"),
                patience_ms=part.get("patience_ms"),
                questions=part.get("questions"),
                interruptions=part.get("interruptions"),
                microphone_quality=heard["microphone_quality"] if heard else None,
            )
        )
    return listed


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
