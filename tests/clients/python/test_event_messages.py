"""Events as values: every kind and field of the messages has its place, and ``match`` tells them apart."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
from google.protobuf.descriptor import EnumDescriptor
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
from meetra_client.event_enums import OpenEnum
from meetra_client.event_messages import EVENT_KINDS, event_from

KINDS = {field.name: field.message_type for field in pb.LiveEvent.DESCRIPTOR.oneofs_by_name["event"].fields}


def test_every_kind_of_event_has_its_class() -> None:
    assert EVENT_KINDS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_of_a_kind_is_in_its_class_and_can_be_made(kind: str) -> None:
    own = {field.name for field in fields(EVENT_KINDS[kind])} - {field.name for field in fields(Event)}
    described = KINDS[kind]
    assert described is not None
    assert own == {field.name for field in described.fields}
    message = pb.LiveEvent(event_seq=3)
    getattr(message, kind).SetInParent()
    event = event_from(message)
    assert type(event) is EVENT_KINDS[kind]
    assert (event.event_seq, event.raw) == (3, message)


@pytest.mark.parametrize(
    ("made", "message"),
    [pytest.param(Word, pb.LiveWord, id="word"), pytest.param(SpeakerShare, pb.LiveSpeaker, id="speaker")],
)
def test_every_field_of_a_part_is_in_its_class(made: type, message: type[pb.LiveWord]) -> None:
    assert {field.name for field in fields(made)} == {field.name for field in message.DESCRIPTOR.fields}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(TurnState, pb.LiveTurnState.DESCRIPTOR, id="state"),
        pytest.param(RevisionKind, pb.RevisionKind.DESCRIPTOR, id="revision"),
        pytest.param(WarningCode, pb.WarningCode.DESCRIPTOR, id="warning"),
    ],
)
def test_every_value_of_an_enum_has_its_member(ours: type[OpenEnum], theirs: EnumDescriptor) -> None:
    names = [value.name for value in theirs.values]
    prefix = names[0].removesuffix("UNSPECIFIED")
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
