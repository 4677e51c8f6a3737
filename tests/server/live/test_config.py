"""What a live meeting is: kept as a document, and its speakers numbered without collision."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.live.config import LiveConfig, TrackKind
from tests.server.live.live_configs import MIXED, PARTICIPANT, configs, of_channels, of_kinds, of_tracks

PEOPLE = of_kinds(MIXED, PARTICIPANT, PARTICIPANT, PARTICIPANT, PARTICIPANT, PARTICIPANT)
# One is not known, one is longer than a term may be, and two are called the same.
NAMES = ("", "Zoë", "", "Doe, Jane", "n" * 101, "ZOË")


@given(configs)
def test_a_config_survives_its_document(config: LiveConfig) -> None:
    assert LiveConfig.from_document(json.loads(json.dumps(config.to_document()))) == config


def test_a_config_of_an_earlier_version_has_no_key_terms() -> None:
    document = of_kinds(MIXED).to_document()
    del document["key_terms"]
    assert LiveConfig.from_document(document) == of_kinds(MIXED)


def test_channels_of_a_track_are_tracks_of_one_source() -> None:
    room, call = of_kinds(MIXED), of_channels(2)
    config = replace(room, tracks=(*room.tracks, *call.tracks, replace(room.tracks[0], track_id="last")))
    assert LiveConfig.from_document(json.loads(json.dumps(config.to_document()))) == config
    assert [source.track_id for source in config.sources] == ["t0", "call", "last"]
    assert [config.source_index(place) for place in range(4)] == [0, 1, 1, 2]
    assert [track.key for track in config.tracks] == ["t0", "call#1", "call#2", "last"]
    assert [config.track_index(*of) for of in (("t0", 0), ("call", 1), ("call", 2), ("last", 0))] == [0, 1, 2, 3]
    assert config.tracks[2].display_name == "track call, channel 2"
    # Participants are numbered first.
    assert [config.speaker_number(place, 1) for place in range(4)] == [3, 1, 2, 4]
    assert config.participant_names() == {1: "P1", 2: "P2"}
    assert config.expected_speakers(1) == config.expected_speakers(2) == 1


@given(configs)
def test_tracks_without_separate_channels_are_sources_themselves(config: LiveConfig) -> None:
    assert config.sources == config.tracks
    assert [config.source_index(place) for place in range(len(config.tracks))] == list(range(len(config.tracks)))


def test_a_config_of_before_there_were_separate_channels_has_none() -> None:
    document = of_kinds(MIXED).to_document()
    del document["tracks"][0]["channel"]
    assert LiveConfig.from_document(document) == of_kinds(MIXED)


def test_participants_names_are_terms_before_those_that_were_given_and_each_counts_once() -> None:
    config = of_tracks(
        [replace(track, participant_name=name) for track, name in zip(PEOPLE.tracks, NAMES, strict=True)],
        key_terms=("Kubernetes", "zoë", "Ben"),
    )
    assert config.recognition_terms() == ("Zoë", "Doe, Jane", "Kubernetes", "Ben")
    # A room has no names.
    assert of_kinds(MIXED).recognition_terms() == ()


@given(configs, st.integers(1, 70))
def test_no_two_voices_have_one_number(config: LiveConfig, voices: int) -> None:
    numbers = [
        config.speaker_number(place, label)
        for place, track in enumerate(config.tracks)
        for label in range(1, 2 if track.kind is PARTICIPANT else voices + 1)
    ]
    # From 1 without gaps, when each mixed track has equally many voices.
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@given(configs)
def test_participants_come_first_in_the_order_of_their_tracks(config: LiveConfig) -> None:
    places = [place for place, track in enumerate(config.tracks) if track.kind is PARTICIPANT]
    assert [config.speaker_number(place, 1) for place in places] == list(range(1, len(places) + 1))
    assert {config.speaker_number(place, label) for place in places for label in (1, 2, 9)} == set(
        range(1, len(places) + 1)
    )


@given(st.integers(1, 1000))
def test_one_mixed_track_keeps_the_numbers_of_the_engine(label: int) -> None:
    assert of_kinds(MIXED).speaker_number(0, label) == label


def test_the_voices_of_a_mixed_track_follow_the_participants() -> None:
    config = of_kinds(PARTICIPANT, MIXED, PARTICIPANT)
    assert [config.speaker_number(1, label) for label in (1, 2, 3)] == [3, 4, 5]


def test_one_person_is_expected_on_a_participants_track_and_the_known_number_on_the_only_mixed_one() -> None:
    config = of_tracks(of_kinds(PARTICIPANT, MIXED).tracks, n_speakers=4)
    assert [config.expected_speakers(place) for place in (0, 1)] == [1, 4]
    # Who of the four speaks on which of two is not known.
    config = of_tracks(of_kinds(MIXED, MIXED, PARTICIPANT).tracks, n_speakers=4)
    assert [config.expected_speakers(place) for place in (0, 1, 2)] == [None, None, 1]


@given(configs)
def test_names_are_known_of_named_participants_alone(config: LiveConfig) -> None:
    assert config.participant_names() == {
        config.speaker_number(place, 1): track.participant_name
        for place, track in enumerate(config.tracks)
        if track.kind is PARTICIPANT and track.participant_name
    }


@given(configs, st.lists(st.sampled_from([MIXED, PARTICIPANT]), min_size=1, max_size=5))
def test_who_joins_later_changes_no_number_and_has_one_of_their_own(config: LiveConfig, kinds: list[TrackKind]) -> None:
    """Of 64 voices on each mixed track."""
    joined = tuple(
        replace(config.tracks[0], track_id=f"late{place}", kind=kind, joined=place)
        for place, kind in enumerate(kinds, start=1)
    )
    later = replace(config, tracks=(*config.tracks, *joined))

    def numbers(of: LiveConfig, places: range) -> list[int]:
        return [
            of.speaker_number(place, label)
            for place in places
            for label in range(1, 2 if of.tracks[place].kind is PARTICIPANT else 65)
        ]

    before = range(len(config.tracks))
    assert numbers(later, before) == numbers(config, before)
    assert [later.expected_speakers(place) for place in before] == [config.expected_speakers(place) for place in before]
    assert [later.recognition_terms(place) for place in before] == [config.recognition_terms(place) for place in before]
    everybody = numbers(later, range(len(later.tracks)))
    assert sorted(everybody) == list(range(1, len(everybody) + 1))


def test_people_alone_are_numbered_as_they_join() -> None:
    config = of_kinds(PARTICIPANT, PARTICIPANT)
    late = replace(config.tracks[0], track_id="late", joined=1)
    assert replace(config, tracks=(*config.tracks, late)).speaker_number(2, 1) == 3


def test_voices_of_a_room_with_a_name_are_called_by_it() -> None:
    config = of_kinds(PARTICIPANT, MIXED)
    config = replace(config, tracks=(config.tracks[0], replace(config.tracks[1], participant_name="Room Berlin")))
    names = config.room_names()
    assert (names[2], names[3], len(names)) == ("Room Berlin 1", "Room Berlin 2", 64)
    assert config.participant_names() == {1: "P0"}
    assert config.recognition_terms() == ("P0",)


def test_every_name_that_somebody_had_is_known() -> None:
    config = of_kinds(PARTICIPANT)
    renamed = replace(config.tracks[0], participant_name="Ben", earlier_names=("", "Ada"))
    config = replace(config, tracks=(renamed,))
    assert config.all_participant_names() == ("Ada", "Ben")
    # Recognition knows those that were known from the beginning.
    assert (renamed.first_name, config.recognition_terms()) == ("", ())
    assert LiveConfig.from_document(json.loads(json.dumps(config.to_document()))) == config


def test_a_participant_is_found_by_their_number_and_a_voice_of_a_room_is_nobodys_track() -> None:
    config = of_kinds(MIXED, PARTICIPANT, PARTICIPANT)
    for index in (1, 2):
        assert config.participant_track(config.speaker_number(index, 1)) is config.tracks[index]
    for number in (0, config.speaker_number(0, 1), config.speaker_number(0, 9)):
        assert config.participant_track(number) is None
