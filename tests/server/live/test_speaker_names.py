"""What speakers are called: the last name that anybody gave, told once to those who know another."""

from __future__ import annotations

from dataclasses import replace

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig
from server.live.speaker_names import SpeakerNames
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING

PEOPLE = (PARTICIPANT, MIXED)


def told(names: SpeakerNames) -> dict[int, str]:
    return {names.number(e.speaker_name.speaker_id): e.speaker_name.alias for e in names.changes()}


def turn(names: SpeakerNames, number: int) -> pb.LiveTurn:
    return pb.LiveTurn(speaker_id=names.id(number), alias=names.alias(number), state=pb.LIVE_TURN_STATE_STABLE)


def rename(config: LiveConfig, track: int, name: str) -> None:
    tracks = [replace(t, participant_name=name) if i == track else t for i, t in enumerate(config.tracks)]
    config.set_tracks(replace(config, tracks=tuple(tracks)))


def test_a_name_is_told_to_those_who_know_another_and_once() -> None:
    config = of_kinds(*PEOPLE)
    names = SpeakerNames(config, MEETING)
    # Nobody was told of the first one yet.
    assert names.give({1: "Ada"}) == {1}
    assert told(names) == {}
    for number in (1, 2):
        names.record(turn(names, number))
    assert names.give({1: "Ada", 2: "Ben"}) == {2}
    assert told(names) == {2: "Ben"}
    assert told(names) == {}


def test_the_name_of_a_track_replaces_one_that_was_given_to_its_person_alone() -> None:
    config = of_kinds(*PEOPLE)
    names = SpeakerNames(config, MEETING)
    for number in (1, 2, 3):
        names.record(turn(names, number))
    names.give({1: "By hand", 2: "Cleo"})
    names.changes()
    rename(config, 0, "Ada")
    rename(config, 1, "Room Berlin")
    assert names.take_back([1]) >= {1, 3}
    assert told(names) == {1: "Ada", 3: "Room Berlin 2"}
    assert (names.alias(2), names.alias(9), names.alias(0)) == ("Cleo", "Room Berlin 8", "Unknown")


def test_what_was_not_told_before_a_restart_is_told_after_it() -> None:
    config = of_kinds(*PEOPLE)
    before = SpeakerNames(config, MEETING)
    events = [pb.LiveEvent(turn=turn(before, 1))]
    again = SpeakerNames(config, MEETING)
    again.give({1: "Ada"})
    again.restore(events)
    (event,) = again.changes()
    once_more = SpeakerNames(config, MEETING)
    once_more.give({1: "Ada"})
    once_more.restore([*events, event])
    assert once_more.changes() == []


def test_redacted_names_are_not_shown_but_those_given_by_hand() -> None:
    names = SpeakerNames(replace(of_kinds(PARTICIPANT, PARTICIPANT), redact="name"), MEETING)
    names.give({2: "Ben"})
    assert [names.alias(number) for number in (1, 2)] == ["Speaker 1", "Ben"]
