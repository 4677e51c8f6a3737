"""From the messages of live events to their values, field by field of the same name."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from google.protobuf.message import Message
from meetra.v1 import live_pb2

from meetra_client.event_values import Event, TrackState, UnknownEvent
from meetra_client.live_enums import OpenEnum

EVENT_KINDS = {kind.KIND: kind for kind in Event.__subclasses__() if kind.KIND}
"""The class of each kind."""
_OF_ALL = frozenset(each.name for each in fields(Event))


def event_from(raw: live_pb2.LiveEvent) -> Event:
    """Return the event of a message; UnknownEvent where its kind is newer than this client."""
    name = raw.WhichOneof("event")
    kind = EVENT_KINDS.get(name, UnknownEvent) if name else UnknownEvent
    values = _values(kind, getattr(raw, name)) if name and kind is not UnknownEvent else {}
    return kind(event_seq=raw.event_seq, left_out=raw.left_out, raw=raw, **values)


def track_state_from(raw: live_pb2.LiveTrackState) -> TrackState:
    """Return the state of a track of a message."""
    return TrackState(**_values(TrackState, raw))


def _values(kind: type[Any], message: Message) -> dict[str, Any]:
    """Return the values of a class's own fields, from the fields of the same names."""
    values: dict[str, Any] = {}
    for name, hint in _own_fields(kind):  # type: ignore[arg-type]  # classes are hashable
        value = getattr(message, name)
        if message.DESCRIPTOR.fields_by_name[name].has_presence and not message.HasField(name):
            values[name] = None
        elif get_origin(hint) is tuple:
            values[name] = tuple(_value(get_args(hint)[0], each) for each in value)
        else:
            values[name] = _value(hint, value)
    return values


def _value(kind: type[Any], value: Any) -> Any:
    if is_dataclass(kind):
        return kind(**_values(kind, value))
    return kind(value) if issubclass(kind, OpenEnum) else value


@cache
def _own_fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Return the name of each field that is not of all events, and its type without None."""
    hints = get_type_hints(kind)
    common = _OF_ALL if issubclass(kind, Event) else frozenset[str]()
    return tuple((each.name, _without_none(hints[each.name])) for each in fields(kind) if each.name not in common)


def _without_none(hint: Any) -> Any:
    arguments = get_args(hint)
    return next(each for each in arguments if each is not NoneType) if NoneType in arguments else hint
