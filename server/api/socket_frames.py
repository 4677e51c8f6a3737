"""The frames of a live meeting's WebSocket: the messages of StreamMeeting as JSON, and audio as bytes."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from meetra.v1 import errors_pb2
from meetra.v1 import live_pb2 as pb

from server.errors import BadRequest

# Of a text frame, bytes: a chunk of 64 KiB in base64 has 85 KiB, and there is room for its other fields.
MAX_TEXT = 96 * 1024
# Members of objects and items of lists in a text frame; the largest config has about two thirds of it.
MAX_VALUES = 2000
# Of a line of JSON in front of audio, bytes.
MAX_HEAD = 1024
# A text, or a message, of so many bytes is parsed or written in less than a few milliseconds.
QUICK = 1024
# Codes of our own begin there (RFC 6455); the number of the ErrorReason is added.
FIRST_CLOSE_CODE = 4000
# Bytes that a close frame has room for.
MAX_CLOSE_REASON = 123
# What protobuf and JSON raise for texts that are no message: nested without end, numbers of thousands of digits.
NO_MESSAGE = (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError)


def read_frame(frame: str | bytes) -> pb.StreamMeetingRequest:
    """Return the message of a client's frame. Raises BadRequest."""
    if isinstance(frame, bytes):
        return pb.StreamMeetingRequest(audio=_read_audio(frame))
    request = pb.StreamMeetingRequest()
    # The parser takes an empty list for an empty object.
    if not frame.lstrip().startswith("{"):
        raise BadRequest("frame", "not a StreamMeetingRequest in JSON: must be an object")
    size = len(frame.encode())
    if size > MAX_TEXT:
        raise BadRequest("frame", f"{size} bytes of text; at most {MAX_TEXT}. Send audio as binary frames")
    try:
        # The parser of messages takes a hundred times as long as that of JSON for each value.
        if _has_more_values(json.loads(frame), MAX_VALUES):
            raise BadRequest("frame", f"more than {MAX_VALUES} members of objects and items of lists")
        # As in REST bodies, fields that are not known are left out.
        json_format.Parse(frame, request, ignore_unknown_fields=True)
    except NO_MESSAGE as error:
        raise BadRequest("frame", f"not a StreamMeetingRequest in JSON{_where(error)}") from None
    return request


def is_quickly_read(frame: str | bytes) -> bool:
    """Return whether reading a frame takes no time that others would notice. Of audio, the JSON is short."""
    return isinstance(frame, bytes) or len(frame) <= QUICK


def is_quickly_written(response: pb.StreamMeetingResponse) -> bool:
    """Return whether writing a message takes no time that others would notice."""
    return response.ByteSize() <= QUICK


def _has_more_values(value: Any, most: int) -> bool:
    found, inner = 0, [value]
    while inner and found <= most:
        value = inner.pop()
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        found += len(items)
        if found <= most:
            inner.extend(items)
    return found > most


def _read_audio(frame: bytes) -> pb.AudioChunk:
    head, line_feed, data = frame[:MAX_HEAD].partition(b"\n")
    if not line_feed:
        raise BadRequest(
            "frame", f"binary frames are audio: begin with a line of JSON of at most {MAX_HEAD} bytes, then a line feed"
        )
    chunk = pb.AudioChunk()
    try:
        json_format.Parse(head, chunk, ignore_unknown_fields=True)
    except NO_MESSAGE as error:
        raise BadRequest("frame", f"its first line is not an AudioChunk in JSON{_where(error)}") from None
    if chunk.data:
        raise BadRequest("audio.data", "the bytes follow the line feed; leave it out of the JSON")
    chunk.data = data + frame[MAX_HEAD:]
    return chunk


def _where(error: Exception) -> str:
    """Return the field at fault, if the parser names one; what it says of values is the client's own text."""
    found = str(error).partition("Failed to parse ")[2].partition(" field")[0]
    return f": {found}: invalid value" if found.replace(".", "").replace("_", "").isalnum() and len(found) < 64 else ""


def write_frame(response: pb.StreamMeetingResponse) -> str:
    """Return the text frame of a message, as REST has it: fields without a value as well."""
    return json_format.MessageToJson(response, always_print_fields_with_no_presence=True, indent=None)


def close_code(reason: str) -> int:
    """Return the code of a close frame for the reason of an error."""
    return FIRST_CLOSE_CODE + int(errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}"))


def close_reason(reason: str, message: str) -> str:
    """Return the text of a close frame for an error, cut at the bytes that it has room for."""
    return f"{reason}: {message}".encode()[:MAX_CLOSE_REASON].decode(errors="ignore")
