"""CorrectionService: corrections of sentences, and the history of all corrections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from grpc import aio
from meetra.v1 import corrections_pb2 as pb
from meetra.v1 import corrections_pb2_grpc, insights_pb2

from server.api.insight_messages import sentence_message
from server.api.speaker_messages import speaker_messages
from server.api.validation import parse_uuid, validate_file_hash, validate_page_size, validate_sentence_text
from server.auth import current_caller
from server.conversation import Edit, Merge, Move, Reword, Split
from server.errors import BadRequest
from server.meetings import CorrectedSentence, Corrections
from server.moments import utc_text
from server.storage import EditRow, SpeakerRow

Context = aio.ServicerContext[Any, Any]


class CorrectionServicer(corrections_pb2_grpc.CorrectionServiceServicer):
    """See proto/meetra/v1/corrections.proto."""

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections

    async def CorrectSentence(  # noqa: N802
        self, request: pb.CorrectSentenceRequest, context: Context
    ) -> pb.CorrectSentenceResponse:
        """See CorrectionService.CorrectSentence."""
        file_hash, wanted = validate_file_hash(request.file_hash), request.correction
        if wanted.remove and wanted.text:
            raise BadRequest("text", "given with remove; leave one of them out")
        text = "" if wanted.remove else validate_sentence_text(wanted.text)
        replaces = wanted.replaces if wanted.HasField("replaces") else None
        found = await self._corrections.correct_text(current_caller(), file_hash, request.number, text, replaces)
        return pb.CorrectSentenceResponse(sentence=_sentence(found))

    async def MoveSentence(  # noqa: N802
        self, request: pb.MoveSentenceRequest, context: Context
    ) -> pb.MoveSentenceResponse:
        """See CorrectionService.MoveSentence."""
        file_hash, wanted = validate_file_hash(request.file_hash), request.correction
        if wanted.HasField("speaker") == wanted.new_speaker:
            raise BadRequest("speaker", "give either the UUID of a speaker of the meeting, or new_speaker")
        speaker_id = None if wanted.new_speaker else parse_uuid("speaker", wanted.speaker)
        found = await self._corrections.move_sentence(current_caller(), file_hash, request.number, speaker_id)
        return pb.MoveSentenceResponse(sentence=_sentence(found), speakers=speaker_messages(found.speakers))

    async def ListCorrections(  # noqa: N802
        self, request: pb.ListCorrectionsRequest, context: Context
    ) -> pb.ListCorrectionsResponse:
        """See CorrectionService.ListCorrections."""
        file_hash, size = validate_file_hash(request.file_hash), validate_page_size(request.page_size)
        caller = current_caller()
        found = await self._corrections.history(caller, file_hash, size + 1, _parse_page_token(request.page_token))
        page = found.made[:size]
        return pb.ListCorrectionsResponse(
            corrections=[_correction(row, edit, found.speakers, caller.user_id) for row, edit in page],
            next_page_token=str(page[-1][0].number) if len(found.made) > size else "",
        )

    async def RedoCorrection(  # noqa: N802
        self, request: pb.RedoCorrectionRequest, context: Context
    ) -> pb.RedoCorrectionResponse:
        """See CorrectionService.RedoCorrection."""
        file_hash = validate_file_hash(request.file_hash)
        number = request.number if request.HasField("number") else None
        rows = await self._corrections.redo(current_caller(), file_hash, number)
        return pb.RedoCorrectionResponse(speakers=speaker_messages(rows))


def _parse_page_token(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise BadRequest("page_token", "invalid; pass the next_page_token of a page, or omit it for the first page")
    return int(value)


def _sentence(found: CorrectedSentence) -> insights_pb2.TranscriptSentence:
    ids = {row.label: str(row.id) for row in found.speakers}
    return sentence_message(found.number, found.document, lambda label: ids.get(label, ""))


def _correction(row: EditRow, edit: Edit, speakers: Mapping[int, SpeakerRow], caller_id: UUID) -> pb.Correction:
    made: dict[str, Any] = {
        "number": row.number,
        "made_at": utc_text(row.made_at),
        "by_you": row.user_id == caller_id,
        "undone": row.undone,
        "can_redo": row.can_redo,
    }
    match edit:
        case Merge(speaker, into):
            made |= {"kind": pb.CORRECTION_KIND_MERGE, "from_speaker": speaker, "to_speaker": into}
        case Split():
            made |= {
                "kind": pb.CORRECTION_KIND_SPLIT,
                "from_speaker": edit.speaker,
                "to_speaker": edit.new_speaker,
                "start_ms": edit.start_us // 1000,
                "end_ms": edit.end_us // 1000,
            }
        case Move():
            made |= {
                "kind": pb.CORRECTION_KIND_MOVE,
                "from_speaker": edit.former_speaker,
                "to_speaker": edit.speaker,
                "sentence": edit.sentence + 1,
                "start_ms": edit.start_us // 1000,
            }
        case Reword():
            made |= {
                "kind": pb.CORRECTION_KIND_WORDS,
                "sentence": edit.sentence + 1,
                "start_ms": edit.start_us // 1000,
                "former_text": edit.former_text,
                "text": edit.text,
            }
    for end in ("from_speaker", "to_speaker"):
        if end in made:
            known = speakers.get(made[end])
            made[end] = None if known is None else speaker_messages([known])[0]
    return pb.Correction(**made)
