"""What clients are told of a live meeting's turns: each change once, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, TurnState, Word, meeting_segment_id
from server.live.config import MAX_TRACKS, LiveConfig
from server.live.speaker_names import UNKNOWN_SPEAKER_ID
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds

MEETING = UUID(int=7)
S = 1_000_000
PARTIAL, STABLE, FINAL, RETRACTED = TurnState.PARTIAL, TurnState.STABLE, TurnState.FINAL, TurnState.RETRACTED
PROVISIONAL_WORD, FINAL_WORD = pb.LIVE_WORD_STABILITY_PROVISIONAL, pb.LIVE_WORD_STABILITY_FINAL
ROOM = of_kinds(MIXED)
PEOPLE = of_kinds(PARTICIPANT, PARTICIPANT)


def turn(id_: int, speaker: int = 1, *, state: TurnState = STABLE, track: int = 0, text: str = "hello") -> TurnSnapshot:
    words = (Word(text, id_ * S, id_ * S + 500_000, 0.75), Word("again", id_ * S + 500_000, (id_ + 1) * S, None))
    return TurnSnapshot(id_, track, state, speaker, id_ * S, (id_ + 1) * S, words)


def turns_of(config: LiveConfig = ROOM, said: Sequence[TurnSnapshot] = ()) -> MeetingTurns:
    """Turns that are told already."""
    made = MeetingTurns(config, MEETING)
    for one in said:
        made.update(one)
    made.changes()
    return made


def stored(events: Sequence[pb.LiveEvent]) -> list[pb.LiveEvent]:
    """The events as they come back from the database."""
    return [pb.LiveEvent.FromString(event.SerializeToString()) for event in events]


def stabilities(event: pb.LiveEvent) -> list[int]:
    """Of the words of a turn."""
    return [word.stability for word in event.turn.words]


def told(events: Sequence[pb.LiveEvent]) -> list[tuple[int, int, TurnState]]:
    """The second in which each turn among events begins (its number at the engine), revision and state."""
    turns = [event.turn for event in events if event.WhichOneof("event") == "turn"]
    return [(t.start_ms // 1000, t.revision, TurnState(t.state)) for t in turns]


def revisions(turns: MeetingTurns, events: Sequence[pb.LiveEvent]) -> list[tuple[int, int, int, list[int]]]:
    """The speaker revisions among events, speakers by number."""
    number = {turns.speaker_id(n): n for n in range(10)}
    found = [event.speaker_revision for event in events if event.WhichOneof("event") == "speaker_revision"]
    return [(number[r.from_speaker_id], number[r.to_speaker_id], r.kind, list(r.segment_ids)) for r in found]


def test_each_change_is_told_once_in_the_order_of_time() -> None:
    turns = turns_of()
    turns.update(turn(2))
    turns.update(turn(1, state=PARTIAL))
    assert told(turns.changes()) == [(1, 1, PARTIAL), (2, 1, STABLE)]
    assert turns.changes() == []
    turns.update(turn(2))
    turns.update(turn(1))
    assert told(turns.changes()) == [(1, 2, STABLE)]
    assert turns.changes() == []


def test_a_turn_is_told_with_all_that_is_known_of_it() -> None:
    turns = MeetingTurns(PEOPLE, MEETING)
    turns.update(replace(turn(3, speaker=2, track=1), language="en"))
    (event,) = turns.changes()
    assert event.turn == pb.LiveTurn(
        segment_id=1,
        revision=1,
        state=pb.LIVE_TURN_STATE_STABLE,
        speaker_id=turns.speaker_id(2),
        alias="P1",
        track_id="t1",
        start_ms=3000,
        end_ms=4000,
        words=[
            pb.LiveWord(text="hello", start_ms=3000, end_ms=3500, confidence=0.75, stability=PROVISIONAL_WORD),
            pb.LiveWord(text="again", start_ms=3500, end_ms=4000, stability=PROVISIONAL_WORD),
        ],
        language="en",
    )


def test_who_is_not_known_is_nobody() -> None:
    turns = MeetingTurns(ROOM, MEETING)
    turns.update(turn(1, speaker=0, state=PARTIAL))
    (event,) = turns.changes()
    assert (event.turn.speaker_id, event.turn.alias) == (UNKNOWN_SPEAKER_ID, "Unknown")


def test_what_changed_and_changed_back_is_not_told() -> None:
    turns = turns_of(said=[turn(1)])
    turns.update(turn(1, text="hollow"))
    turns.update(turn(1))
    assert turns.changes() == []


def test_what_vanished_before_it_was_told_is_not_told() -> None:
    turns = turns_of()
    turns.update(turn(1, state=PARTIAL))
    turns.update(replace(turn(1), state=RETRACTED, words=()))
    assert turns.changes() == []


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    first = MeetingTurns(PEOPLE, MEETING)
    for one in (turn(2, 1), turn(3, 2, track=1), turn(4, 1, state=PARTIAL), turn(6, 1)):
        first.update(one)
    events = first.changes()
    first.update(replace(turn(6, 1), state=RETRACTED, words=()))
    events += first.changes()
    second = MeetingTurns(PEOPLE, MEETING)
    second.restore(stored(events))
    assert second.changes() == []
    assert [(s.start_us, s.words) for s in second.segments()] == [(s.start_us, s.words) for s in first.segments()]
    assert [second.turns_through_us(track) for track in (0, 1)] == [7 * S, 4 * S]
    for track in (0, 1):
        second.start_catch_up(track)
    for one in (turn(2, 1), turn(3, 2, track=1), turn(4, 1)):
        second.update(one)
    for track in (0, 1):
        second.finish_catch_up(track)
    assert told(second.changes()) == [(4, 2, STABLE)]


@pytest.mark.parametrize("number", [0, 1, 2, 63])
def test_speakers_keep_their_numbers_through_a_restart(number: int) -> None:
    first = MeetingTurns(ROOM, MEETING)
    first.update(turn(1, speaker=number))
    second = MeetingTurns(ROOM, MEETING)
    second.restore(stored(first.changes()))
    assert [segment.speaker for segment in second.segments()] == [number]


def test_a_replay_that_says_the_same_tells_nothing() -> None:
    turns = turns_of(said=[turn(1), turn(2), turn(3, state=PARTIAL)])
    turns.start_catch_up(0)
    for one in (turn(1, state=PARTIAL), turn(1), turn(2, 0, state=PARTIAL), turn(2), turn(3, state=PARTIAL)):
        assert turns.is_catching_up(0)
        turns.update(one)
        assert turns.changes() == []
    turns.finish_catch_up(0)
    assert not turns.is_catching_up(0)
    assert turns.changes() == []


def test_a_replay_that_differs_tells_the_difference_once_it_has_caught_up() -> None:
    turns = turns_of(said=[turn(1), turn(2), turn(3)])
    turns.start_catch_up(0)
    for one in (turn(1), turn(2, text="hollow"), turn(4)):
        turns.update(one)
    assert turns.changes() == []
    assert [s.segment_id for s in turns.segments()] == [1, 2, 3]
    turns.finish_catch_up(0)
    assert told(turns.changes()) == [(2, 2, STABLE), (3, 2, RETRACTED), (4, 1, STABLE)]
    assert [s.segment_id for s in turns.segments()] == [1, 2, 4]


def test_a_restored_turn_is_of_the_part_that_it_begins() -> None:
    # A part begins between two milliseconds, and its first turn with it.
    said = replace(turn(3), start_us=3_000_400)
    before = turns_of()
    before.update(said)
    after = MeetingTurns(ROOM, MEETING)
    after.restore(stored(before.changes()))
    after.close_part(0, range(-S, 3_000_400), [])
    assert after.changes() == []
    after.close_part(0, range(3_000_400, 9 * S), [said])
    assert after.changes() == []


def test_what_changes_of_an_earlier_part_is_not_held_back_with_a_later_one() -> None:
    turns = turns_of(said=[turn(1), turn(5)])
    turns.start_catch_up(0, range(4 * S, 9 * S))
    turns.update(turn(1, state=RETRACTED))
    turns.update(turn(5, text="bye"))
    assert told(turns.changes()) == [(1, 2, RETRACTED)]


def test_a_turn_that_may_be_a_copy_is_not_final() -> None:
    turns = turns_of(said=[turn(1)])
    turns.settle_speakers(0)
    turns.mark_judged(0, S)
    turns.mark_words_final(0, 9 * S)
    assert told(turns.changes()) == [(1, 2, STABLE)]
    turns.mark_judged(0, 2 * S)
    assert told(turns.changes()) == [(1, 3, FINAL)]


def test_an_engine_that_dies_while_it_catches_up_leaves_nothing_behind() -> None:
    turns = turns_of(said=[turn(1), turn(2)])
    turns.start_catch_up(0)
    turns.update(turn(9))
    turns.start_catch_up(0)
    turns.update(turn(1))
    turns.finish_catch_up(0)
    assert told(turns.changes()) == [(2, 2, RETRACTED)]


def test_a_replay_of_one_track_does_not_touch_another() -> None:
    turns = turns_of(PEOPLE, [turn(2), turn(3, 2, track=1)])
    turns.start_catch_up(0)
    turns.update(turn(5, 2, track=1))
    assert told(turns.changes()) == [(5, 1, STABLE)]
    turns.finish_catch_up(0)
    turns.finish_catch_up(1)
    assert told(turns.changes()) == [(2, 2, RETRACTED)]


def test_what_is_settled_becomes_final_and_never_changes_after() -> None:
    turns = turns_of(PEOPLE, [turn(2), turn(4, state=PARTIAL), turn(3, 2, track=1)])
    for track in (0, 1):
        turns.mark_words_final(track, 9 * S)
    turns.settle_speakers(0)
    assert turns.has_settled_speakers(0)
    assert not turns.has_settled_speakers(1)
    assert told(turns.changes()) == [(2, 2, FINAL), (3, 2, STABLE), (4, 2, PARTIAL)]
    turns.update(turn(4))
    assert told(turns.changes()) == [(4, 3, FINAL)]
    turns.update(turn(2, text="hollow"))
    turns.update(replace(turn(4), state=RETRACTED, words=()))
    turns.start_catch_up(0)
    turns.finish_catch_up(0)
    assert turns.changes() == []


def test_what_was_final_before_a_restart_stays_so() -> None:
    first = MeetingTurns(PEOPLE, MEETING)
    first.settle_speakers(0)
    first.mark_words_final(0, 3 * S)
    first.update(turn(2))
    second = MeetingTurns(PEOPLE, MEETING)
    second.restore(stored(first.changes()))
    assert [second.words_final_through_us(track) for track in (0, 1)] == [3 * S, 0]
    second.start_catch_up(0)
    second.update(turn(2, text="hollow"))
    second.update(turn(4))
    second.finish_catch_up(0)
    assert told(second.changes()) == [(4, 1, STABLE)]


def test_a_stable_turn_of_a_settled_track_is_final_once_its_words_are() -> None:
    turns = turns_of(PEOPLE, [turn(2), turn(4), turn(3, 2, track=1)])
    turns.settle_speakers(0)
    assert turns.changes() == []
    turns.mark_words_final(0, 3 * S - 1000)
    turns.mark_words_final(1, 9 * S)
    changes = turns.changes()
    assert told(changes) == [(2, 2, STABLE), (3, 2, STABLE)]
    assert stabilities(changes[0]) == [FINAL_WORD, PROVISIONAL_WORD]
    assert stabilities(changes[1]) == [FINAL_WORD, FINAL_WORD]
    turns.mark_words_final(0, 3 * S)
    # An engine that begins anew has not come so far.
    turns.mark_words_final(0, 1 * S)
    changes = turns.changes()
    assert told(changes) == [(2, 3, FINAL)]
    assert stabilities(changes[0]) == [FINAL_WORD, FINAL_WORD]
    turns.update(turn(4, text="hollow"))
    assert told(turns.changes()) == [(4, 2, STABLE)]
    turns.mark_words_final(0, 5 * S)
    turns.mark_words_final(0, 6 * S)
    assert told(turns.changes()) == [(4, 3, FINAL)]


@pytest.mark.parametrize(
    ("end_us", "through_us", "final"), [(1400, 1200, True), (1600, 1900, False), (1600, 2000, True)]
)
def test_a_turn_is_final_by_the_milliseconds_that_are_told(end_us: int, through_us: int, final: bool) -> None:
    turns = MeetingTurns(PEOPLE, MEETING)
    turns.settle_speakers(0)
    turns.mark_words_final(0, through_us)
    turns.update(TurnSnapshot(2, 0, STABLE, 1, 0, end_us, ()))
    assert told(turns.changes()) == [(0, 1, FINAL if final else STABLE)]


def test_words_before_a_watermark_are_final_on_every_track_after_a_restart() -> None:
    turns = MeetingTurns(PEOPLE, MEETING)
    for through_ms in (1000, 3000):
        turns.restore([pb.LiveEvent(watermark=pb.Watermark(words_final_through_ms=through_ms))])
    assert [turns.words_final_through_us(track) for track in (0, 1)] == [3 * S, 3 * S]


def test_an_ignored_track_says_nothing_any_more() -> None:
    turns = turns_of(PEOPLE, [turn(2), turn(4, state=PARTIAL), turn(3, 2, track=1)])
    turns.ignore(0)
    assert told(turns.changes()) == [(2, 2, RETRACTED), (4, 2, RETRACTED)]
    # The engine goes on hearing it.
    turns.update(turn(4))
    turns.update(turn(6))
    turns.start_catch_up(0)
    turns.update(turn(2))
    turns.finish_catch_up(0)
    assert turns.changes() == []
    assert [segment.segment_id for segment in turns.segments()] == [3]


def heard(*said: TurnSnapshot, tracks: int = 1) -> Conversation:
    """The finished meeting."""
    segments = tuple(
        replace(t.segment(), segment_id=meeting_segment_id(t.segment_id, t.track, MAX_TRACKS)) for t in said
    )
    return Conversation(99 * S, (1, 2), segments, EngineCapabilities(overlap=tracks > 1))


def test_at_the_end_every_turn_is_final_or_retracted() -> None:
    turns = turns_of(said=[turn(1), turn(2, state=PARTIAL), turn(3), turn(4)])
    turns.update(turn(5, state=PARTIAL))
    events = turns.final_changes(heard(turn(1), turn(2, text="hollow"), turn(4, 2), turn(6)))
    assert told(events) == [
        (1, 2, FINAL),
        (2, 2, FINAL),
        (3, 2, RETRACTED),
        (4, 2, FINAL),
        (6, 1, FINAL),
    ]
    assert turns.final_changes(heard(turn(1), turn(2, text="hollow"), turn(4, 2), turn(6))) == []


def test_at_the_end_names_are_told_as_the_finished_meeting_has_them() -> None:
    turns = turns_of(said=[turn(1)])
    turns.name({1: "Ada"})
    (event,) = turns.final_changes(heard(turn(1)))
    assert event.turn.alias == "Ada"


def test_final_turns_are_of_the_tracks_that_their_names_say() -> None:
    turns = MeetingTurns(PEOPLE, MEETING)
    events = turns.final_changes(heard(turn(2), turn(3, 2, track=1), tracks=2))
    assert [event.turn.track_id for event in events] == ["t0", "t1"]


SPEAKERS_BEFORE_AND_AFTER = {
    "two are one": ([1, 2, 2], [1, 1, 1], [(2, 1, pb.REVISION_KIND_MERGE, [2, 3])]),
    "one is two": ([1, 1, 1], [1, 2, 2], [(1, 2, pb.REVISION_KIND_SPLIT, [2, 3])]),
    "one segment is another's": ([1, 2, 2], [1, 1, 2], [(2, 1, pb.REVISION_KIND_REASSIGN, [2])]),
    "two change places": (
        [1, 2, 3],
        [2, 1, 3],
        [(1, 2, pb.REVISION_KIND_REASSIGN, [1]), (2, 1, pb.REVISION_KIND_REASSIGN, [2])],
    ),
    "one is shared among two": (
        [1, 3, 2, 2],
        [1, 3, 1, 3],
        [(2, 1, pb.REVISION_KIND_REASSIGN, [3]), (2, 3, pb.REVISION_KIND_REASSIGN, [4])],
    ),
    "nobody was known": ([0, 1], [1, 1], []),
    "nobody is known": ([1, 1], [0, 1], []),
    "nothing changed": ([1, 2], [1, 2], []),
}


@pytest.mark.parametrize("what", SPEAKERS_BEFORE_AND_AFTER)
def test_who_changed_hands_is_said_before_the_turns_that_show_it(what: str) -> None:
    before, after, expected = SPEAKERS_BEFORE_AND_AFTER[what]
    turns = turns_of(said=[turn(id_, speaker) for id_, speaker in enumerate(before, start=1)])
    for id_, speaker in enumerate(after, start=1):
        turns.update(turn(id_, speaker))
    events = turns.changes()
    assert sorted(revisions(turns, events)) == sorted(expected)
    kinds = [str(event.WhichOneof("event")) for event in events]
    assert kinds == sorted(kinds)  # speaker_revision, then turn
    named = {id_ for _, _, _, ids in revisions(turns, events) for id_ in ids}
    assert named <= {id_ for id_, _, _ in told(events)}


def test_the_speaker_of_a_partial_turn_changes_without_a_word() -> None:
    turns = turns_of(said=[turn(1), turn(2, 2, state=PARTIAL)])
    turns.update(turn(2, 1))
    assert revisions(turns, turns.changes()) == []


def test_a_name_that_is_given_is_told_in_every_turn_that_may_still_change() -> None:
    turns = turns_of(PEOPLE, [turn(2), turn(3, 2, track=1), turn(4), turn(6)])
    turns.settle_speakers(0)
    turns.mark_words_final(0, 3 * S)
    turns.changes()
    turns.name({1: "Ann"})
    events = turns.changes()
    assert told(events) == [(4, 2, STABLE), (6, 2, STABLE)]
    assert {event.turn.alias for event in events} == {"Ann"}
    turns.name({1: "Ann"})
    assert turns.changes() == []


def test_words_that_were_final_before_a_restart_stay_so() -> None:
    first = MeetingTurns(ROOM, MEETING)
    first.update(replace(turn(2), language="de"))
    first.mark_words_final(0, 2 * S + 500_000)
    events = first.changes()
    assert stabilities(events[-1]) == [FINAL_WORD, PROVISIONAL_WORD]
    second = MeetingTurns(ROOM, MEETING)
    second.restore(stored(events))
    assert second.words_final_through_us(0) == 2 * S + 500_000
    assert [segment.language for segment in second.segments()] == ["de"]
    second.mark_words_final(0, 9 * S)
    (event,) = second.changes()
    assert (stabilities(event), event.turn.language) == ([FINAL_WORD, FINAL_WORD], "de")


def test_speech_has_ended_before_its_words_are_known() -> None:
    turns = turns_of(said=[turn(1, state=PARTIAL)])
    assert not turns.has_ended(1)
    turns.update(replace(turn(1, state=PARTIAL), ended=True))
    assert turns.changes() == []
    assert turns.has_ended(1)
    # Speech that a flush had ended goes on.
    turns.update(turn(1, state=PARTIAL))
    assert turns.changes() == []
    assert not turns.has_ended(1)
    turns.update(turn(1))
    events = turns.changes()
    assert turns.has_ended(1)
    again = MeetingTurns(ROOM, MEETING)
    again.restore(stored(events))
    assert again.has_ended(1)


def test_a_new_name_is_told_again_in_the_turns_of_two_minutes_alone() -> None:
    turns = turns_of(ROOM, [turn(2), turn(200), turn(300), turn(301, 2)])
    turns.name({1: "Ann"})
    assert told(turns.changes()) == [(200, 2, STABLE), (300, 2, STABLE)]
    # An earlier one that changes for another reason has it too.
    turns.update(turn(2, text="hullo"))
    (event,) = turns.changes()
    assert (event.turn.alias, event.turn.revision) == ("Ann", 2)


def test_a_meeting_that_an_older_version_analysed_ends_with_its_tracks() -> None:
    three = of_kinds(PARTICIPANT, PARTICIPANT, PARTICIPANT)
    turns = MeetingTurns(three, MEETING)
    # It numbered segments by the tracks that there were.
    segments = tuple(
        replace(said.segment(), segment_id=meeting_segment_id(said.segment_id, track, 3))
        for track, said in enumerate([turn(11), turn(12, 2), turn(13, 3)])
    )
    events = turns.final_changes(Conversation(20 * S, (1, 2, 3), segments, EngineCapabilities()))
    assert [event.turn.track_id for event in events] == ["t0", "t1", "t2"]


def test_speech_that_has_ended_no_longer_grows_though_its_speaker_is_not_sure_yet() -> None:
    growing, waits = turn(3, speaker=1, state=TurnState.PARTIAL), turn(1, speaker=2, state=TurnState.PARTIAL)
    turns = turns_of(said=[growing, replace(waits, ended=True), turn(5, speaker=3)])
    assert turns.open_since_us() == {1: 3 * S}
