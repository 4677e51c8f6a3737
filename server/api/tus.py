"""Uploads in pieces over HTTP: the tus protocol 1.0 (https://tus.io), core, creation, termination and expiration."""

from __future__ import annotations

import base64
import binascii
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.api.http_call import error_response
from server.api.http_guard import HttpGuard
from server.api.metadata import parse_length
from server.api.upload_requests import UPLOAD_RULE, declared_bytes
from server.auth import current_caller
from server.errors import BadRequest, UnsupportedContentEncoding
from server.meetings import TEXT_FIELDS, Progress, ResumableUploads, media_type_of

PATH = "/single-feature-api/uploads"
VERSION, EXTENSIONS = "1.0.0", "creation,termination,expiration"
PIECE_TYPE = "application/offset+octet-stream"
# Of the recording itself; others are the fields of an upload.
FILE_NAME, MEDIA_TYPE = "filename", "filetype"
# What clients of tus send of their own accord beside those.
IGNORED = frozenset({"relativePath", "type"})
FILE_HASH = "meetra-file-hash"


def tus_routes(guard: HttpGuard, uploads: ResumableUploads) -> list[BaseRoute]:
    """Return the routes of uploads in pieces."""
    tus = _Tus(uploads)
    one = PATH + "/{upload_id}"
    return [
        Route(PATH, tus.describe, methods=["OPTIONS"]),
        Route(PATH, guard.endpoint(UPLOAD_RULE, tus.create), methods=["POST"]),
        Route(one, tus.describe, methods=["OPTIONS"]),
        Route(one, guard.endpoint(UPLOAD_RULE, tus.find), methods=["HEAD"]),
        Route(one, guard.endpoint(UPLOAD_RULE, tus.append, streams=True), methods=["PATCH"]),
        Route(one, guard.endpoint(UPLOAD_RULE, tus.remove), methods=["DELETE"]),
    ]


class _Tus:
    def __init__(self, uploads: ResumableUploads) -> None:
        self._uploads = uploads

    async def describe(self, request: Request) -> Response:
        """Answer OPTIONS: what this server speaks, to whoever asks."""
        return _answer(
            204, {"tus-version": VERSION, "tus-extension": EXTENSIONS, "tus-max-size": str(self._uploads.max_bytes)}
        )

    async def create(self, request: Request) -> Response:
        """Answer POST: an upload begins."""
        if (refusal := _other_version(request)) is not None:
            return refusal
        if "upload-defer-length" in request.headers:
            raise BadRequest("upload-defer-length", "not supported; state Upload-Length")
        size_bytes = _number(request, "upload-length")
        metadata = parse_metadata(request.headers.get("upload-metadata", ""))
        file_name, media_type = metadata.pop(FILE_NAME, ""), media_type_of(metadata.pop(MEDIA_TYPE, ""))
        upload_id = await self._uploads.create(current_caller(), size_bytes, metadata, file_name, media_type)
        progress = await self._uploads.find(current_caller(), upload_id)
        return _answer(201, {"location": f"{PATH}/{upload_id}", **_expiry(progress)})

    async def find(self, request: Request) -> Response:
        """Answer HEAD: how far an upload is."""
        if (refusal := _other_version(request)) is not None:
            return refusal
        progress = await self._uploads.find(current_caller(), request.path_params["upload_id"])
        return _answer(200, {**_progress(progress), "upload-length": str(progress.size_bytes)})

    async def append(self, request: Request) -> Response:
        """Answer PATCH: a piece."""
        if (refusal := _other_version(request)) is not None:
            return refusal
        if request.headers.get("content-type", "") != PIECE_TYPE:
            return error_response(415, f"Bad request: content-type: must be {PIECE_TYPE}", {"tus-resumable": VERSION})
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedContentEncoding
        offset = _number(request, "upload-offset")
        progress = await self._uploads.append(
            current_caller(), request.path_params["upload_id"], offset, request.stream(), declared_bytes(request)
        )
        return _answer(204, _progress(progress))

    async def remove(self, request: Request) -> Response:
        """Answer DELETE: an upload is given up."""
        if (refusal := _other_version(request)) is not None:
            return refusal
        await self._uploads.remove(current_caller(), request.path_params["upload_id"])
        return _answer(204, {})


def parse_metadata(header: str) -> dict[str, str]:
    """Return the values of an ``Upload-Metadata`` header by their keys. Raises BadRequest."""
    known = TEXT_FIELDS | {FILE_NAME, MEDIA_TYPE}
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        if key in IGNORED:
            continue
        if key not in known:
            raise BadRequest("upload-metadata", f"unknown key; allowed are {', '.join(sorted(known))}")
        if key in found:
            raise BadRequest("upload-metadata", f"{key} is given more than once")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise BadRequest("upload-metadata", f"{key}: must be base64 of UTF-8") from None
    return found


def _other_version(request: Request) -> Response | None:
    """Return the refusal of a request of another version of the protocol; None for ours."""
    if request.headers.get("tus-resumable") == VERSION:
        return None
    message = f"Bad request: tus-resumable: must be {VERSION}"
    return error_response(412, message, {"tus-version": VERSION, "tus-resumable": VERSION})


def _number(request: Request, name: str) -> int:
    """Return a header that is a number of bytes. Raises BadRequest."""
    number = parse_length(request.headers.get(name, ""))
    if number is None:
        raise BadRequest(name, "must be a whole number of bytes")
    return number


def _progress(progress: Progress) -> dict[str, str]:
    headers = {"upload-offset": str(progress.offset), **_expiry(progress)}
    if progress.finished is not None:
        headers[FILE_HASH] = progress.finished.file_hash
    return headers


def _expiry(progress: Progress) -> dict[str, str]:
    return {"upload-expires": formatdate(progress.expires_at, usegmt=True)}


def _answer(status: int, headers: dict[str, str]) -> Response:
    return Response(None, status, {"tus-resumable": VERSION, **headers})
