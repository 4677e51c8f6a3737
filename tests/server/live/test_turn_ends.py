"""Turns that end: told once each, as soon as it is known, with the reason by the definitions of the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, Segment, TurnState, find_utterances
from server.insights import build_timeline, iterate_interruptions
from server.live.config import MAX_TRACKS
from server.live.hearing import Hearing
from server.live.published_state import PublishedState
from server.live.turn_snapshot import TurnSnapshot
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, stored

MS = 1000
PEOPLE = of_kinds(PARTICIPANT, PARTICIPANT, PARTICIPANT)
TRACKS = len(PEOPLE.tracks)
PAUSE, CHANGE = pb.TURN_END_REASON_PAUSE, pb.TURN_END_REASON_CHANGE
INTERRUPTION, END = pb.TURN_END_REASON_INTERRUPTION, pb.TURN_END_REASON_END
PARTIAL, STABLE, RETRACTED = TurnState.PARTIAL, TurnState.STABLE, TurnState.RETRACTED


def turn(number: int, track: int, start_ms: int, end_ms: int, *, ended: bool = True) -> TurnSnapshot:
    """A turn of the participant on a track; each has numbers of its own."""
    id_ = number * MAX_TRACKS + track
    return TurnSnapshot(id_, track, PARTIAL, 1 + track, start_ms * MS, end_ms * MS, (), ended=ended)


def heard(*through_ms: int, quiet: Sequence[int] = ()) -> list[Hearing]:
    """How far each track is heard; the same for all with one number."""
    each = through_ms * TRACKS if len(through_ms) == 1 else through_ms
    return [Hearing(ms * MS, ms * MS, index in quiet, index not in quiet) for index, ms in enumerate(each)]


class Meeting:
    """What clients are told of turns that end."""

    def __init__(self) -> None:
        self.state = PublishedState(PEOPLE, MEETING)
        self.events: list[pb.LiveEvent] = []

    def hear(self, hearings: Sequence[Hearing], *turns: TurnSnapshot) -> list[tuple[int, int, int, str]]:
        """Ends that are told next: the track, when, why, and the track of who speaks on."""
        for one in turns:
            self.state.turns.update(one)
        for track in range(TRACKS):
            self.state.turns.finish_catch_up(track)
        return self._tell(self.state.changes((), (), lambda: hearings))

    def conclude(self, duration_ms: int, *turns: TurnSnapshot) -> list[tuple[int, int, int, str]]:
        """Ends that are told at the end of the meeting."""
        segments = tuple(sorted((one.segment() for one in turns), key=lambda s: s.start_us))
        conversation = Conversation(duration_ms * MS, (1, 2, 3), segments, EngineCapabilities())
        return self._tell(self.state.final_changes(conversation))

    def _tell(self, events: list[pb.LiveEvent]) -> list[tuple[int, int, int, str]]:
        self.events += events
        return [self.named(event.turn_end) for event in events if event.HasField("turn_end")]

    def named(self, end: pb.LiveTurnEnd) -> tuple[int, int, int, str]:
        tracks = {self.state.turns.speaker_id(1 + track): track for track in range(TRACKS)}
        after = f"t{tracks[end.next_speaker_id]}" if end.next_speaker_id else ""
        return tracks[end.speaker_id], end.end_ms, end.reason, after

    def restart(self) -> None:
        """Another process goes on with what is stored; the next turns are those of an engine that begins anew."""
        self.state = PublishedState(PEOPLE, MEETING)
        self.state.restore(stored(self.events))
        for track in range(TRACKS):
            self.state.turns.start_catch_up(track)

    @property
    def last(self) -> pb.LiveTurnEnd:
        """The last one that was told."""
        return [event.turn_end for event in self.events if event.HasField("turn_end")][-1]


def test_a_pause_is_told_once_as_soon_as_it_is_heard() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(1500), turn(1, 0, 0, 1500, ended=False)) == []
    assert meeting.hear(heard(2400), turn(1, 0, 0, 2000)) == []
    assert meeting.hear(heard(2500)) == [(0, 2000, PAUSE, "")]
    assert (meeting.last.pause_ms, meeting.last.back_channel, meeting.last.track_id) == (500, False, "t0")
    # Its words come, and change; it is final.
    assert meeting.hear(heard(9000), replace(turn(1, 0, 0, 2000), state=STABLE)) == []
    assert meeting.conclude(9000, turn(1, 0, 0, 2000)) == []


def test_who_goes_on_within_the_gap_of_an_utterance_has_not_ended() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2400), turn(1, 0, 0, 2000), turn(2, 0, 2300, 2400, ended=False)) == []
    assert meeting.hear(heard(9000), turn(2, 0, 2300, 4000)) == [(0, 4000, PAUSE, "")]
    assert meeting.last.segment_id == 2
    # The speech that went on was none: what was said before it ended earlier.
    assert meeting.hear(heard(9000), turn(3, 0, 12_000, 13_000), turn(4, 0, 13_400, 13_600, ended=False)) == []
    gone = replace(turn(4, 0, 13_400, 13_600), state=RETRACTED)
    assert meeting.hear(heard(14_000), gone) == [(0, 13_000, PAUSE, "")]


def test_another_who_takes_over_is_told_once_they_have_said_enough() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2500), turn(1, 0, 0, 2000), turn(1, 1, 2200, 2500, ended=False)) == []
    assert meeting.hear(heard(3300), turn(1, 1, 2200, 3300, ended=False)) == [(0, 2000, CHANGE, "t1")]


def test_a_back_channel_takes_no_turn() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2900), turn(1, 0, 0, 2000), turn(1, 1, 2200, 2600)) == []
    # Only then it is known that the other does not go on.
    ends = meeting.hear(heard(3100))
    assert ends == [(0, 2000, PAUSE, ""), (1, 2600, PAUSE, "")]
    assert [e.turn_end.back_channel for e in meeting.events if e.HasField("turn_end")] == [False, True]
    # An answer of a word, though, when the other has been silent for long, is a turn.
    assert meeting.hear(heard(99_000), turn(2, 1, 90_000, 90_500)) == [(1, 90_500, PAUSE, "")]
    assert not meeting.last.back_channel


def test_an_interruption_is_one_by_the_definition_of_the_metrics() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2500), turn(1, 0, 0, 2000), turn(1, 1, 1300, 2500, ended=False)) == [
        (0, 2000, INTERRUPTION, "t1")
    ]
    # Too late to be one, and too early: the speaker went on for over a second.
    assert meeting.hear(heard(3000), turn(1, 1, 1300, 2500)) == [(1, 2500, PAUSE, "")]
    assert meeting.hear(heard(7100), turn(2, 1, 5000, 6000), turn(2, 2, 5600, 7100, ended=False)) == [
        (1, 6000, CHANGE, "t2")
    ]
    assert meeting.hear(heard(15_000), turn(2, 2, 5600, 9000), turn(3, 0, 7000, 15_000, ended=False)) == [
        (2, 9000, CHANGE, "t0")
    ]


def test_the_others_are_waited_for_unless_nothing_comes_of_them() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2600, 2300, 9000), turn(1, 0, 0, 2000)) == []
    assert meeting.hear(heard(2600, 2300, 9000, quiet=[1])) == [(0, 2000, PAUSE, "")]
    # Nothing comes of the speaker: nobody waits for the silence.
    assert meeting.hear(heard(5000, 9000, 9000, quiet=[0]), turn(2, 0, 4000, 5000)) == [(0, 5000, PAUSE, "")]
    assert meeting.last.pause_ms == 0


def test_the_end_of_what_is_taken_back_is_not_told() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(2000), turn(1, 0, 0, 2000)) == []
    assert meeting.hear(heard(9000), replace(turn(1, 0, 0, 2000), state=RETRACTED)) == []
    assert meeting.conclude(9000) == []


def test_a_restart_repeats_nothing_and_forgets_nothing() -> None:
    meeting = Meeting()
    assert meeting.hear(heard(3000), turn(1, 0, 0, 2000), turn(2, 0, 2900, 3000, ended=False)) == [(0, 2000, PAUSE, "")]
    meeting.hear(heard(3000), replace(turn(2, 0, 2900, 3900), state=STABLE))
    again = turn(1, 0, 0, 2000), turn(2, 0, 2900, 3900)
    meeting.restart()
    assert meeting.hear(heard(0), *again) == []
    assert meeting.hear(heard(4500)) == [(0, 3900, PAUSE, "")]
    meeting.restart()
    assert meeting.hear(heard(9000), *again) == []
    assert meeting.conclude(9000, turn(1, 0, 0, 2000), turn(2, 0, 2900, 3900)) == []


def test_the_end_of_the_meeting_ends_what_is_said_until_then() -> None:
    meeting = Meeting()
    meeting.hear(heard(2000), turn(1, 0, 0, 2000, ended=False))
    ends = meeting.conclude(5000, turn(1, 0, 0, 3000), turn(1, 1, 2900, 4700))
    assert ends == [(0, 3000, CHANGE, "t1"), (1, 4700, END, "")]
    assert meeting.last.pause_ms == 300


def test_an_unknown_voice_speaks_on_but_does_not_interrupt() -> None:
    room = of_kinds(MIXED)
    state = PublishedState(room, MEETING)
    known = TurnSnapshot(1, 0, PARTIAL, 1, 0, 2000 * MS, (), ended=True)
    state.turns.update(known)
    state.turns.update(replace(known, segment_id=2, speaker=0, start_us=1300 * MS, end_us=4000 * MS))
    hearing = [Hearing(5000 * MS, 5000 * MS, quiet=False, awaited=True)]
    ends = [event.turn_end for event in state.changes((), (), lambda: hearing) if event.HasField("turn_end")]
    nil = "00000000-0000-0000-0000-000000000000"
    assert [(end.reason, end.next_speaker_id) for end in ends] == [(CHANGE, nil), (PAUSE, "")]
    assert ends[1].speaker_id == nil


spoken = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1500), st.integers(200, 4000)), min_size=1, max_size=10)


@settings(max_examples=200)
@given(spoken, st.data())
def test_every_utterance_ends_once_and_interruptions_are_those_counted(
    made: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    ends_ms, turns = [0] * TRACKS, []
    for number, (track, gap, length) in enumerate(made):
        start = ends_ms[track] + gap + 1
        ends_ms[track] = start + length
        turns.append(turn(number, track, start, ends_ms[track]))
    duration = max(ends_ms) + data.draw(st.integers(0, 1000))
    meeting = Meeting()
    waits = sorted(data.draw(st.lists(st.integers(0, duration + 3000), max_size=6)))
    for now in waits:
        known = [replace(one, end_us=min(one.end_us, now * MS), ended=one.end_us < now * MS) for one in turns]
        meeting.hear(heard(now), *(one for one in known if one.start_us < one.end_us))
        if data.draw(st.booleans()):
            meeting.restart()
    meeting.conclude(duration, *turns)
    told = [event.turn_end for event in meeting.events if event.HasField("turn_end")]
    assert len({end.segment_id for end in told}) == len(told)
    segments = tuple(Segment(t.segment_id, t.speaker, t.start_us, t.end_us) for t in turns)
    talk = Conversation(duration * MS, (1, 2, 3), segments, EngineCapabilities())
    found = {(u.speaker, u.end_us // MS) for u in find_utterances(talk)}
    assert sorted((meeting.named(end)[0] + 1, end.end_ms) for end in told) == sorted(found)
    counted = {(i.interrupted, i.interrupter) for i in iterate_interruptions(build_timeline(talk)) if i.successful}
    said = {(1 + t, 1 + int(after[1:])) for t, _, why, after in map(meeting.named, told) if why == INTERRUPTION}
    assert said <= counted
    assert {interrupted for interrupted, _ in said} == {interrupted for interrupted, _ in counted}
    assert all(end.next_speaker_id for end in told if end.reason in (CHANGE, INTERRUPTION))
