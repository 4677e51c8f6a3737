"""Incremental parsing of upload bodies: never whole in memory, every part bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from server.audio import IncomingRecording
from server.errors import BadRequest
from server.meetings.part_texts import HEADER_CHARSET, decode_header_text, decode_text, file_name
from server.visible_text import clean

KEY_TERMS, CONSENT = "key_terms", "consent"
TEXT_FIELDS = frozenset({"name", "date", "n_speakers", "language", KEY_TERMS, "channels", CONSENT, "redact"})
MAX_TEXT_FIELD = 4096
# Of fields whose parts add up: enough for the maximum number of entries at maximum length in any script.
MAX_LISTS = {KEY_TERMS: 64 * 1024, CONSENT: 256 * 1024}
MAX_PARTS = 16
# Limit of multipart bytes beside the recording: boundaries, headers, texts, preamble and epilogue.
MAX_OVERHEAD_BYTES = 1024 * 1024
UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_BOUNDARY = re.compile(r"[\x20-\x7e]{0,69}[\x21-\x7e]")
RAW_TYPES = (
    "audio/",
    "video/",
    "application/octet-stream",
    "binary/octet-stream",
    "application/ogg",
    "application/mp4",
)


BeforeRecording = Callable[[dict[str, str]], None]
"""Given the fields that came before the recording; its errors end the upload before a byte of the recording is kept."""


class UploadBody(Protocol):
    """Incremental consumer of an upload's bytes; blocking, to be run in a thread."""

    fields: dict[str, str]
    file_name: str | None
    media_type: str
    before_recording: BeforeRecording | None

    def feed(self, data: bytes) -> None:
        """Consume the next chunk. Raises BadRequest."""
        ...

    def close(self) -> None:
        """Check that the body is complete. Raises BadRequest otherwise."""
        ...


class RawBody:
    """A body that is the recording itself."""

    def __init__(self, media_type: str, recording: IncomingRecording) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.media_type = media_type
        self.before_recording: BeforeRecording | None = None
        self._recording = recording

    def feed(self, data: bytes) -> None:
        """See UploadBody.feed."""
        if self.before_recording is not None and not self._recording.size_bytes:
            self.before_recording(self.fields)
        self._recording.write(data)

    def close(self) -> None:
        """See UploadBody.close."""
        if not self._recording.size_bytes:
            raise BadRequest("file", "the recording is empty")


class MultipartBody:
    """A ``multipart/form-data`` body: one part ``file`` and a few short texts."""

    def __init__(self, boundary: str, recording: IncomingRecording, text_fields: frozenset[str] = TEXT_FIELDS) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.media_type = UNKNOWN_TYPE
        self._text_fields = text_fields
        self.before_recording: BeforeRecording | None = None
        self._recording = recording
        # In strict mode the parser rejects a final line break that arrives in a chunk of its own.
        self._parser = PushMultipartParser(
            boundary, max_segment_count=MAX_PARTS, header_charset=HEADER_CHARSET, strict=False
        )
        self._overhead_bytes = 0
        self._part: str | None = None
        self._charset = "utf-8"
        self._text = bytearray()
        self._has_file = False

    def feed(self, data: bytes) -> None:
        """See UploadBody.feed."""
        before = self._recording.size_bytes
        try:
            for event in self._parser.parse(data):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._end()
                elif self._part == "file":
                    self._recording.write(event)
                elif len(self._text) + len(event) > (max_bytes := _max_text_bytes(self._part)):
                    raise BadRequest(str(self._part), f"at most {max_bytes} bytes")
                else:
                    self._text += event
        except ParserLimitReached:
            raise BadRequest("body", f"more than {MAX_PARTS} parts, or part headers over 4 kB") from None
        except MultipartError as error:
            raise BadRequest("body", f"not well-formed multipart/form-data ({error.args[0]})") from error
        self._overhead_bytes += len(data) - (self._recording.size_bytes - before)
        if self._overhead_bytes > MAX_OVERHEAD_BYTES:
            raise BadRequest("body", f"more than {MAX_OVERHEAD_BYTES} bytes outside the recording")

    def close(self) -> None:
        """See UploadBody.close."""
        try:
            self._parser.close()
        except MultipartError:
            raise BadRequest("body", "the multipart/form-data ends before its closing boundary") from None
        if not self._has_file:
            raise BadRequest("file", "missing; send the recording as the part named file")
        if not self._recording.size_bytes:
            raise BadRequest("file", "the recording is empty")

    def _begin(self, segment: MultipartSegment) -> None:
        self._part, self._text, self._charset = segment.name, bytearray(), segment.charset or "utf-8"
        if segment.name == "file":
            if self._has_file:
                raise BadRequest("file", "given more than once; send one recording per upload")
            self._has_file = True
            if self.before_recording is not None:
                self.before_recording(self.fields)
            _check_unencoded(segment)
            self.file_name = file_name(segment)
            self.media_type = media_type_of(segment.content_type or "")
        elif segment.name not in self._text_fields:
            known = ", ".join(sorted(self._text_fields | {"file"}))
            part_name = clean(decode_header_text(segment.name or ""))[:100] or "body"
            raise BadRequest(part_name, f"unknown part; allowed are {known}")

    def _end(self) -> None:
        if self._part in self._text_fields:
            try:
                text = decode_text(self._charset, self._text)
            except ValueError:
                raise BadRequest(self._part, "not valid UTF-8, nor valid in the charset that the part states") from None
            # Lists accumulate; for any other field the last value wins.
            before = self.fields.get(self._part) if _is_list(self._part) else None
            self.fields[self._part] = f"{before}\n{text}" if before else text
        self._part = None


def _check_unencoded(segment: MultipartSegment) -> None:
    """Reject a part with a transfer or content encoding: it would be stored encoded. Raises BadRequest."""
    for header, plain in (
        ("Content-Transfer-Encoding", ("binary", "8bit", "7bit")),
        ("Content-Encoding", ("identity",)),
    ):
        if segment.header(header, plain[0]).strip().lower() not in plain:
            raise BadRequest("file", f"{header} is not supported in a part; send the bytes unencoded")


def _is_list(part: str) -> bool:
    """Return whether the values of parts of one name add up, each on a line of its own."""
    return part in MAX_LISTS or part.endswith("[]")


def _max_text_bytes(part: str | None) -> int:
    """Return the maximum size of a text part, bytes."""
    return MAX_LISTS.get(part or "", MAX_TEXT_FIELD)


def media_type_of(stated: str) -> str:
    """Return the media type that is stated of a recording, or else that of unknown ones."""
    return stated if _MEDIA_TYPE.fullmatch(stated) else UNKNOWN_TYPE


def create_body(
    content_type: str, recording: IncomingRecording, text_fields: frozenset[str] = TEXT_FIELDS
) -> UploadBody:
    """Return the consumer for a body of this media type. Raises BadRequest for an unsupported one.

    Args:
        text_fields: names of the texts that a form may have beside the recording.
    """
    kind, options = parse_options_header(content_type)
    kind = kind.lower()
    if kind == "multipart/form-data":
        boundary = options.get("boundary", "")
        if not _BOUNDARY.fullmatch(boundary):
            raise BadRequest("content-type", "multipart/form-data requires a boundary of 1 to 70 characters")
        return MultipartBody(boundary, recording, text_fields)
    if kind.startswith(RAW_TYPES) and _MEDIA_TYPE.fullmatch(kind):
        return RawBody(kind, recording)
    raise BadRequest(
        "content-type",
        "must be multipart/form-data, or audio/*, video/* or application/octet-stream for the recording itself",
    )
