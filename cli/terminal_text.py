"""What other people said and wrote, made harmless for a terminal: no control characters, nothing that reorders text."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from google.protobuf.message import Message

from server.visible_text import escape_unsafe, replace_unsafe

M = TypeVar("M", bound=Message)


def escape_message(message: M) -> M:
    """Return a copy of a message in which all texts are safe to print; keys of maps stay as they are.

    Right-to-left texts are not isolated here: a turn's words belong to one text.
    """
    copy = type(message)()
    copy.CopyFrom(message)
    _escape(copy)
    return copy


def _escape(message: Message) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _escape_map(value, field.message_type.fields_by_name["value"])
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.is_repeated else (value,):
                _escape(item)
        elif field.type == field.TYPE_STRING and field.is_repeated:
            value[:] = [escape_unsafe(text) for text in value]
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, escape_unsafe(value))


def _escape_map(values: Any, kind: Any) -> None:
    for key in list(values):
        if kind.type == kind.TYPE_MESSAGE:
            _escape(values[key])
        elif kind.type == kind.TYPE_STRING:
            values[key] = escape_unsafe(values[key])


def escape_lines(text: str) -> str:
    """Return a text of several lines with each of them safe to print."""
    return "\n".join(escape_unsafe(line) for line in text.split("\n"))


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON of the same value that is safe to print: unsafe characters are written as their escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    # Line breaks are the layout's: within values JSON escapes them.
    return replace_unsafe(text, lambda character: json.dumps(character)[1:-1], keep="\n")
