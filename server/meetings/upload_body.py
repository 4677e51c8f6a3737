"""The body of an upload, read piece by piece: never whole in memory, every part bounded."""

from __future__ import annotations

from typing import Protocol

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from server.errors import BadRequest
from server.meetings.audio_log import IncomingRecording

KEY_TERMS = "key_terms"
TEXT_FIELDS = frozenset({"name", "date", "n_speakers", "language", KEY_TERMS})
LONGEST_TEXT_FIELD = 4096
# Room for all terms at their longest, in whatever script.
LONGEST_KEY_TERMS = 64 * 1024
MOST_PARTS = 16
RAW_TYPES = ("audio/", "video/", "application/octet-stream", "application/ogg", "application/mp4")


class UploadBody(Protocol):
    """Takes an upload's bytes as they come; blocking, for a thread."""

    fields: dict[str, str]
    file_name: str | None
    media_type: str

    def feed(self, data: bytes) -> None:
        """The next piece."""
        ...

    def close(self) -> None:
        """The body has ended. Raises BadRequest when it is not whole."""
        ...


class RawBody:
    """The body is the recording itself."""

    def __init__(self, media_type: str, recording: IncomingRecording) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.media_type = media_type
        self._recording = recording

    def feed(self, data: bytes) -> None:
        self._recording.write(data)

    def close(self) -> None:
        if not self._recording.size_bytes:
            raise BadRequest("file", "the recording is empty")


class MultipartBody:
    """``multipart/form-data``: one part ``file`` and a few short texts."""

    def __init__(self, boundary: str, recording: IncomingRecording) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.media_type = "application/octet-stream"
        self._recording = recording
        self._parser = PushMultipartParser(boundary, max_segment_count=MOST_PARTS, strict=True)
        self._part: str | None = None
        self._text = bytearray()
        self._has_file = False

    def feed(self, data: bytes) -> None:
        try:
            for event in self._parser.parse(data):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._end()
                elif self._part == "file":
                    self._recording.write(event)
                elif len(self._text) + len(event) > (longest := _longest(self._part)):
                    raise BadRequest(str(self._part), f"at most {longest} bytes")
                else:
                    self._text += event
        except MultipartError as error:
            raise BadRequest("body", f"not well-formed multipart/form-data ({error})") from error

    def close(self) -> None:
        try:
            self._parser.close()
        except MultipartError:
            raise BadRequest("body", "the multipart/form-data ends before its closing boundary") from None
        if not self._has_file:
            raise BadRequest("file", "the part with the recording is missing")
        if not self._recording.size_bytes:
            raise BadRequest("file", "the recording is empty")

    def _begin(self, segment: MultipartSegment) -> None:
        self._part, self._text = segment.name, bytearray()
        if segment.name == "file":
            if self._has_file:
                raise BadRequest("file", "one recording an upload")
            self._has_file = True
            self.file_name = segment.filename
            self.media_type = (segment.content_type or self.media_type)[:200]
        elif segment.name not in TEXT_FIELDS:
            known = ", ".join(sorted(TEXT_FIELDS | {"file"}))
            raise BadRequest(str(segment.name)[:100], f"unknown part; known are {known}")

    def _end(self) -> None:
        if self._part in TEXT_FIELDS:
            try:
                text = self._text.decode()
            except UnicodeDecodeError:
                raise BadRequest(self._part, "not UTF-8") from None
            # Terms add up; of any other field the last word counts.
            before = self.fields.get(KEY_TERMS) if self._part == KEY_TERMS else None
            self.fields[self._part] = f"{before}\n{text}" if before else text
        self._part = None


def _longest(part: str | None) -> int:
    """Bytes that a text part may have."""
    return LONGEST_KEY_TERMS if part == KEY_TERMS else LONGEST_TEXT_FIELD


def body_of(content_type: str, recording: IncomingRecording) -> UploadBody:
    """The reader for a body of this media type. Raises BadRequest for any other than the documented ones."""
    kind, options = parse_options_header(content_type)
    kind = kind.lower()
    if kind == "multipart/form-data":
        boundary = options.get("boundary", "")
        if not 1 <= len(boundary) <= 70:
            raise BadRequest("content-type", "multipart/form-data needs a boundary of 1 to 70 characters")
        return MultipartBody(boundary, recording)
    if kind.startswith(RAW_TYPES):
        return RawBody(kind[:200], recording)
    raise BadRequest(
        "content-type", "multipart/form-data, or the recording itself as audio/*, video/* or application/octet-stream"
    )
