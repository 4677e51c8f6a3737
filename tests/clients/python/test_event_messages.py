"""Events as values: every kind and field of the messages has its place, and ``match`` tells them apart."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from meetra.v1 import live_pb2 as pb

from meetra_client import (
    Event,
    Finished,
    Insights,
    LiveWarning,
    RevisionKind,
    SpeakerRevision,
    SpeakerShare,
    Turn,
    TurnState,
    UnknownEvent,
    WarningCode,
    Watermark,
    Word,
)
from meetra_client.event_messages import EVENT_KINDS, event_from
from meetra_client.live_enums import OpenEnum

SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_UINT32: int,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
}


def described(field: FieldDescriptor) -> Descriptor:
    assert field.message_type is not None
    return field.message_type


KINDS = {field.name: described(field) for field in pb.LiveEvent.DESCRIPTOR.oneofs_by_name["event"].fields}


def test_every_kind_of_event_has_its_class() -> None:
    assert EVENT_KINDS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_of_a_kind_is_in_its_class_with_its_type(kind: str) -> None:
    check_fields(EVENT_KINDS[kind], KINDS[kind], {field.name for field in fields(Event)})
    message = pb.LiveEvent(event_seq=3)
    getattr(message, kind).SetInParent()
    event = event_from(message)
    assert type(event) is EVENT_KINDS[kind]
    assert (event.event_seq, event.raw) == (3, message)


def check_fields(made: type[Any], message: Descriptor, common: set[str]) -> None:
    """Compare a class with its message, and the classes of its parts with theirs."""
    hints = get_type_hints(made)
    own = {field.name: hints[field.name] for field in fields(made) if field.name not in common}
    assert own.keys() == {field.name for field in message.fields}, made
    for field in message.fields:
        hint, arguments = own[field.name], get_args(own[field.name])
        assert (get_origin(hint) is tuple) == field.is_repeated, field.full_name
        # A message within a message is always there.
        optional = field.has_presence and field.message_type is None
        assert (NoneType in arguments) == optional, f"{field.full_name}: absent is None"
        kind = next((each for each in arguments if each is not NoneType), hint)
        if field.message_type is not None:
            check_fields(kind, described(field), set())
        elif field.enum_type is not None:
            assert issubclass(kind, OpenEnum), field.full_name
            check_values(kind, field.enum_type)
        else:
            assert kind is SCALARS[field.cpp_type], field.full_name


def check_values(ours: type[OpenEnum], theirs: EnumDescriptor) -> None:
    prefix = theirs.values[0].name.removesuffix("UNSPECIFIED")
    assert {member.name: member.value for member in ours} == {
        value.name.removeprefix(prefix): value.number for value in theirs.values
    }


def told(event: Event) -> str:
    match event:
        case Turn(state=TurnState.FINAL, alias=alias, words=words):
            return f"{alias}: {' '.join(word.text for word in words)}"
        case Turn():
            return "not final"
        case LiveWarning(code=WarningCode.LAG):
            return "late"
        case Finished(status=status):
            return status
        case UnknownEvent():
            return "of a newer server"
        case _:
            return "else"


def turn(state: pb.LiveTurnState.ValueType) -> pb.LiveEvent:
    words = [pb.LiveWord(text="Good", end_ms=200, confidence=0.5), pb.LiveWord(text="morning", start_ms=200)]
    return pb.LiveEvent(turn=pb.LiveTurn(state=state, alias="Ada", words=words))


def test_match_reads_an_event() -> None:
    assert told(event_from(turn(pb.LIVE_TURN_STATE_FINAL))) == "Ada: Good morning"
    assert told(event_from(turn(pb.LIVE_TURN_STATE_PARTIAL))) == "not final"
    assert told(event_from(pb.LiveEvent(warning=pb.Warning(code=pb.WARNING_CODE_LAG)))) == "late"
    assert told(event_from(pb.LiveEvent(finished=pb.LiveFinished(status="ready")))) == "ready"
    assert told(event_from(pb.LiveEvent(watermark=pb.Watermark()))) == "else"


def test_parts_are_values_and_what_is_left_out_is_none() -> None:
    event = event_from(turn(pb.LIVE_TURN_STATE_STABLE))
    assert isinstance(event, Turn)
    assert event.words == (
        Word(text="Good", start_ms=0, end_ms=200, confidence=0.5),
        Word(text="morning", start_ms=200, end_ms=0, confidence=None),
    )
    assert event.text == "Good morning"
    speakers = [pb.LiveSpeaker(alias="Ada", speaking_ms=5)]
    scored = event_from(pb.LiveEvent(insights=pb.LiveInsights(speakers=speakers, interruptions=0)))
    assert isinstance(scored, Insights)
    assert (scored.interruptions, scored.sentiment_score) == (0, None)
    assert scored.speakers == (SpeakerShare(speaker_id="", alias="Ada", speaking_percentage=0.0, speaking_ms=5),)
    revised = event_from(
        pb.LiveEvent(speaker_revision=pb.SpeakerRevision(kind=pb.REVISION_KIND_MERGE, segment_ids=[3, 4]))
    )
    assert isinstance(revised, SpeakerRevision)
    assert (revised.kind, revised.segment_ids) == (RevisionKind.MERGE, (3, 4))


def test_an_event_is_compared_by_what_it_says_and_never_changed() -> None:
    first, second = (event_from(pb.LiveEvent(event_seq=1, watermark=pb.Watermark(final_through_ms=5))) for _ in "ab")
    assert first == second
    assert first != event_from(pb.LiveEvent(event_seq=1, watermark=pb.Watermark(final_through_ms=6)))
    assert isinstance(first, Watermark)
    with pytest.raises(FrozenInstanceError):
        first.final_through_ms = 7  # type: ignore[misc]


def test_what_a_newer_server_says_is_no_failure() -> None:
    # Field 200, a message: of no kind that this client knows.
    unknown = pb.LiveEvent.FromString(pb.LiveEvent(event_seq=9).SerializeToString() + b"\xc2\x0c\x02\x08\x01")
    event = event_from(unknown)
    assert (type(event), event.event_seq, told(event)) == (UnknownEvent, 9, "of a newer server")
    assert event.raw.SerializeToString() == unknown.SerializeToString()
    newer = event_from(pb.LiveEvent(warning=pb.Warning(code=200)))  # type: ignore[arg-type]
    assert isinstance(newer, LiveWarning)
    assert (newer.code.name, newer.code.value, newer.code == 200) == ("UNKNOWN_200", 200, True)
    assert told(newer) == "else"
