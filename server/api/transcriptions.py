"""OpenAI's ``/v1/audio/transcriptions`` and ``/v1/models``: an upload, and its transcript when the analysis is done.

Docs: docs/openai.md. A recording sent twice is one meeting, as with any upload.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from meetra.v1 import access_pb2 as access
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.access import require_right
from server.api.call_rule import declared_rule
from server.api.http_guard import HttpGuard
from server.api.meeting_file import MeetingFiles
from server.api.upload_requests import UPLOAD_RULE, declared_bytes, record_upload
from server.auth import Caller, current_caller
from server.documents import (
    FORMATS,
    SEGMENTS,
    WORDS,
    DocumentedMeeting,
    to_diarized_transcription,
    to_transcription_text,
    to_verbose_transcription,
)
from server.engine import InferenceClient
from server.errors import (
    BadRequest,
    MeetingFailed,
    MeetingNotFound,
    MeetingStillProcessing,
    MeetraError,
    ServiceUnavailable,
)
from server.lifecycle import MeetingStatus
from server.meetings import UploadChunk, UploadForm, Uploads
from server.storage import Database, meetings

TRANSCRIPTIONS, MODELS = "/v1/audio/transcriptions", "/v1/models"
MODEL = "meetra"
JSON_FORMAT, TEXT, VERBOSE, DIARIZED, SRT, VTT = "json", "text", "verbose_json", "diarized_json", "srt", "vtt"
RESPONSE_FORMATS = (JSON_FORMAT, TEXT, SRT, VERBOSE, VTT, DIARIZED)
GRANULARITIES, NAMES = "timestamp_granularities[]", "known_speaker_names[]"
# Taken, and without effect: one engine decides by itself.
WITHOUT_EFFECT = frozenset(
    {"model", "prompt", "temperature", "chunking_strategy", "include[]", "known_speaker_references[]"}
)
FIELDS = WITHOUT_EFFECT | {"language", "response_format", "stream", GRANULARITIES, NAMES}
# The gateway cuts an answer of which nothing comes for 300 s.
PATIENCE_S, POLL_S, ALIVE_EVERY_S = 240.0, 0.25, 15.0
ENGINE_PATIENCE_S = 5.0
_READ = frozenset({access.RIGHT_READ})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for."""

    form: str
    granularities: frozenset[str]
    stream: bool


class TranscriptionApi:
    """Answers what OpenAI's clients ask."""

    def __init__(self, database: Database, uploads: Uploads, files: MeetingFiles, inference: InferenceClient) -> None:
        self._database, self._uploads, self._files, self._inference = database, uploads, files, inference

    def routes(self, guard: HttpGuard) -> list[BaseRoute]:
        """Return its routes; errors look as OpenAI's do."""
        transcribe = guard.endpoint(UPLOAD_RULE, self.transcribe, streams=True)
        models = guard.endpoint(declared_rule("/meetra.v1.OrganizationService/ListModels"), self.models)
        return [
            Route(TRANSCRIPTIONS, _OpenAiErrors(transcribe), methods=["POST"]),
            Route(MODELS, _OpenAiErrors(models), methods=["GET"]),
        ]

    async def models(self, request: Request) -> Response:
        """Answer ``GET /v1/models``: one that stands for the whole analysis, and those that it is made of."""
        capabilities = await self._inference.ask_capabilities(ENGINE_PATIENCE_S)
        if capabilities is None:
            raise ServiceUnavailable
        names = [MODEL, *(model.name for model in capabilities.models)]
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": MODEL} for name in names]
        return JSONResponse({"object": "list", "data": listed})

    async def transcribe(self, request: Request) -> Response:
        """Answer ``POST /v1/audio/transcriptions``."""
        caller = current_caller()
        require_right(caller, _READ)
        asked: list[Wanted] = []

        def stated(fields: dict[str, str]) -> dict[str, str]:
            asked.append(parse_wanted(fields))
            own = {"language": fields.get("language", ""), "key_terms": fields.get(NAMES, "")}
            return {name: value for name, value in own.items() if value}

        receipt = await self._uploads.receive(
            caller,
            _chunks(request),
            request.headers.get("content-encoding", ""),
            declared_bytes(request),
            UploadForm(FIELDS, stated),
        )
        await record_upload(receipt.file_hash)
        wanted = asked[0] if asked else Wanted(JSON_FORMAT, frozenset({SEGMENTS}), False)
        if wanted.stream:
            return StreamingResponse(self._stream(caller, receipt.file_hash), media_type="text/event-stream")
        await self._wait(caller, receipt.file_hash, PATIENCE_S)
        return await _answer(await self._files.documented(caller.organization_id, receipt.file_hash), wanted)

    async def _wait(self, caller: Caller, file_hash: str, patience_s: float) -> None:
        """Wait until a meeting is ready.

        Raises MeetingStillProcessing, MeetingFailed, MeetingNotFound.
        """
        until = asyncio.get_running_loop().time() + patience_s
        while True:
            state = await self._database.run(
                lambda c: meetings.find_state(c, caller.organization_id, file_hash),
                organization_id=caller.organization_id,
            )
            if state is None:
                raise MeetingNotFound
            if state.status == MeetingStatus.READY:
                return
            if state.status == MeetingStatus.FAILED:
                raise MeetingFailed(state.message)
            if asyncio.get_running_loop().time() >= until:
                raise MeetingStillProcessing(state.progress_percent)
            await asyncio.sleep(POLL_S)

    async def _stream(self, caller: Caller, file_hash: str) -> AsyncIterator[str]:
        """Yield events: comments while it is analysed, then what was said, statement by statement."""
        waiting = asyncio.ensure_future(self._wait(caller, file_hash, float("inf")))
        try:
            while not waiting.done():
                yield ": analysing\n\n"
                await asyncio.wait({waiting}, timeout=ALIVE_EVERY_S)
            waiting.result()
            meeting = await self._files.documented(caller.organization_id, file_hash)
        except MeetraError as error:
            yield _event({"type": "error", "error": {"message": error.message, "code": error.reason}})
            return
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError, MeetraError):
                await waiting
        for number, statement in enumerate(meeting.statements):
            yield _event({"type": "transcript.text.delta", "delta": f"{' ' if number else ''}{statement.text}"})
        yield _event({"type": "transcript.text.done", "text": to_transcription_text(meeting)})
        yield "data: [DONE]\n\n"


def parse_wanted(fields: Mapping[str, str]) -> Wanted:
    """Return what a form asks for. Raises BadRequest."""
    form = fields.get("response_format", "").strip() or JSON_FORMAT
    if form not in RESPONSE_FORMATS:
        raise BadRequest("response_format", f"must be one of {', '.join(RESPONSE_FORMATS)}")
    given = frozenset(fields.get(GRANULARITIES, "").split()) or frozenset({SEGMENTS})
    if not given <= {WORDS, SEGMENTS}:
        raise BadRequest("timestamp_granularities", f"must be of {WORDS}, {SEGMENTS}")
    stream = fields.get("stream", "").strip().lower()
    if stream not in ("", "true", "false"):
        raise BadRequest("stream", "must be true or false")
    return Wanted(form, given, stream == "true")


async def _answer(meeting: DocumentedMeeting, wanted: Wanted) -> Response:
    if wanted.form in (SRT, VTT):
        return Response(await FORMATS[wanted.form].render(meeting), media_type=FORMATS[wanted.form].media_type)
    if wanted.form == TEXT:
        return Response(to_transcription_text(meeting) + "\n", media_type="text/plain; charset=utf-8")
    if wanted.form == VERBOSE:
        return JSONResponse(to_verbose_transcription(meeting, wanted.granularities))
    if wanted.form == DIARIZED:
        return JSONResponse(to_diarized_transcription(meeting))
    return JSONResponse({"text": to_transcription_text(meeting)})


async def _chunks(request: Request) -> AsyncIterator[UploadChunk]:
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise BadRequest("content-type", "must be multipart/form-data")
    async for data in request.stream():
        yield UploadChunk(data, content_type, {})


def _event(document: Mapping[str, object]) -> str:
    return f"data: {json.dumps(document, ensure_ascii=False)}\n\n"


class _OpenAiErrors:
    """Writes errors as OpenAI's clients read them: ``{"error": {"message", "type", "code"}}``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Message | None = None
        body = bytearray()

        async def rewrite(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refusal = message
            elif refusal is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _send_refusal(send, refusal, bytes(body))

        await self._app(scope, receive, rewrite)


async def _send_refusal(send: Send, start: Message, body: bytes) -> None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    text = str(json.loads(body).get("message", ""))
    kind = "invalid_request_error" if start["status"] < 500 else "server_error"
    error = {"message": text, "type": kind, "param": None, "code": headers.get("x-meetra-reason")}
    data = json.dumps({"error": error, "message": text}, ensure_ascii=False).encode()
    kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    await send({**start, "headers": [*kept, (b"content-length", str(len(data)).encode())]})
    await send({"type": "http.response.body", "body": data})
