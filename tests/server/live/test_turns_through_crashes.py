"""Whatever engines say and whatever dies: what a client makes of the events is what the engines say now."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, TurnState, Word
from server.conversation.tracks import meeting_segment_id
from server.live.config import MAX_TRACKS
from server.live.speaker_names import UNKNOWN_SPEAKER_ID
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, S, stored

pytestmark = pytest.mark.long

CONFIG = of_kinds(MIXED, PARTICIPANT)
TRACKS = 2


@st.composite
def engine_turns(draw: st.DrawFn, track: int) -> TurnSnapshot:
    """A turn of a track, one of few, so that they meet."""
    number = draw(st.integers(0, 4))
    state = draw(st.sampled_from((TurnState.PARTIAL, TurnState.STABLE, TurnState.STABLE)))
    end_us = (number + 1) * S - draw(st.sampled_from((0, 250_000)))
    texts = draw(st.lists(st.sampled_from(("yes", "no")), max_size=2))
    words = tuple(Word(text, number * S + i, number * S + i + 1000, None) for i, text in enumerate(texts))
    # The voices of the mixed track are numbered after the participant.
    speaker = 1 if track == 1 else draw(st.sampled_from((0, 2, 3, 4)))
    return TurnSnapshot(meeting_segment_id(number, track, MAX_TRACKS), track, state, speaker, number * S, end_us, words)


def runs(track: int) -> st.SearchStrategy[list[TurnSnapshot]]:
    return st.lists(engine_turns(track), max_size=6)


places = st.integers(0, TRACKS - 1)
steps = st.one_of(
    places.flatmap(lambda track: st.tuples(st.just("says"), st.just(track), runs(track))),
    places.flatmap(lambda track: st.tuples(st.just("takes back"), st.just(track), st.integers(0, 4))),
    places.flatmap(lambda track: st.tuples(st.just("engine dies"), st.just(track), runs(track))),
    st.tuples(st.just("server dies"), st.just(0), st.tuples(*(runs(track) for track in range(TRACKS)))),
    st.tuples(st.just("settle"), st.just(1), st.none()),
    places.flatmap(lambda track: st.tuples(st.just("words are final"), st.just(track), st.integers(0, 6))),
    places.flatmap(lambda track: st.tuples(st.just("ignore"), st.just(track), st.none())),
)


class Meeting:
    """A meeting as its engines know it, its events as they are stored, and what a client makes of them."""

    def __init__(self) -> None:
        self.turns = MeetingTurns(CONFIG, MEETING)
        self.said: dict[int, TurnSnapshot] = {}
        self.events: list[pb.LiveEvent] = []
        self.client: dict[int, pb.LiveTurn] = {}
        self.first: dict[int, pb.LiveTurn] = {}
        self.has_settled_speakers = False
        self.final_words_s = 0  # of the participant
        self.ignored: set[int] = set()

    def do(self, what: str, track: int, how: object) -> None:
        """One step; what has changed is told after it."""
        if what == "says":
            self.say(how)
        elif what == "takes back":
            assert isinstance(how, int)
            gone = self.said.pop(meeting_segment_id(how, track, MAX_TRACKS), None)
            if gone is not None:
                self.turns.update(replace(gone, state=TurnState.RETRACTED, words=()))
        elif what == "engine dies":
            self.repeat(track, how)
        elif what == "server dies":
            self.turns, self.has_settled_speakers, self.final_words_s = MeetingTurns(CONFIG, MEETING), False, 0
            self.turns.restore(stored(self.events))
            for place in self.ignored:
                self.turns.ignore(place)
            assert isinstance(how, tuple)
            for place, again in enumerate(how):
                self.repeat(place, again)
        elif what == "settle":
            self.has_settled_speakers = True
            self.turns.settle_speakers(track)
        elif what == "words are final":
            assert isinstance(how, int)
            self.turns.mark_words_final(track, how * S)
            if track == 1:
                self.final_words_s = max(self.final_words_s, how)
        else:
            self.ignored.add(track)
            self.turns.ignore(track)
            self.said = {id_: turn for id_, turn in self.said.items() if turn.track != track}
        self.tell()

    def say(self, run: object) -> None:
        assert isinstance(run, list)
        for turn in run:
            self.turns.update(turn)
            if turn.track not in self.ignored:
                self.said[turn.segment_id] = turn

    def repeat(self, track: int, run: object) -> None:
        """A new engine hears the track from its beginning, and may say something else."""
        self.tell()
        self.turns.start_catch_up(track)
        self.said = {id_: turn for id_, turn in self.said.items() if turn.track != track}
        assert isinstance(run, list)
        for turn in run:
            self.say([turn])
            assert self.turns.changes() == []
        self.turns.finish_catch_up(track)

    def tell(self, events: list[pb.LiveEvent] | None = None) -> None:
        """Stores and sends what has changed."""
        for event in self.turns.changes() if events is None else events:
            self.events.append(event)
            if event.WhichOneof("event") == "turn":
                self._receive(event.turn)

    def _receive(self, turn: pb.LiveTurn) -> None:
        known = self.client.get(turn.segment_id)
        assert turn.revision == (known.revision if known else 0) + 1
        if known:
            assert known.state not in (pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED)
            assert (known.state, turn.state) != (pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_PARTIAL)
            assert known.track_id == turn.track_id
            first = self.first[turn.segment_id]
            shared_ms = min(turn.end_ms, first.end_ms) - max(turn.start_ms, first.start_ms)
            assert 2 * shared_ms > first.end_ms - first.start_ms
            again = pb.LiveTurn.FromString(turn.SerializeToString())
            again.revision = known.revision
            assert again != known
        else:
            assert turn.state != pb.LIVE_TURN_STATE_RETRACTED
        self.first.setdefault(turn.segment_id, turn)
        self.client[turn.segment_id] = turn


def content(meeting: Meeting, turn: TurnSnapshot | pb.LiveTurn) -> tuple[object, ...]:
    """What a turn says, whichever way it is written; its state apart."""
    if isinstance(turn, pb.LiveTurn):
        told = tuple((w.text, w.start_ms, w.end_ms) for w in turn.words)
        return turn.speaker_id, turn.track_id, turn.start_ms, turn.end_ms, told
    speaker = meeting.turns.speaker_id(turn.speaker) if turn.speaker else UNKNOWN_SPEAKER_ID
    said = tuple((w.text, w.start_us // 1000, w.end_us // 1000) for w in turn.words)
    return speaker, f"t{turn.track}", turn.start_us // 1000, turn.end_us // 1000, said


def living(meeting: Meeting, state: int | None = None) -> list[pb.LiveTurn]:
    """The turns that a client has, of one state or all that exist."""
    there = [turn for turn in meeting.client.values() if turn.state != pb.LIVE_TURN_STATE_RETRACTED]
    return [turn for turn in there if state in (None, turn.state)]


def not_final(meeting: Meeting, said: dict[int, TurnSnapshot]) -> list[TurnSnapshot]:
    """What engines say that no final turn stands for: those of a place are the same speech."""
    final = {(turn.track_id, turn.start_ms) for turn in living(meeting, pb.LIVE_TURN_STATE_FINAL)}
    return [turn for turn in said.values() if (f"t{turn.track}", turn.start_us // 1000) not in final]


def check(meeting: Meeting) -> None:
    """The client's turns are the engines'; what was final has stayed, and nothing that ended is partial again."""
    told = [turn for turn in living(meeting) if turn.state != pb.LIVE_TURN_STATE_FINAL]
    said = not_final(meeting, meeting.said)
    assert Counter(content(meeting, turn) for turn in told) == Counter(content(meeting, turn) for turn in said)
    states = {content(meeting, turn): turn.state for turn in said}
    assert all(int(turn.state) >= int(states[content(meeting, turn)]) for turn in told)
    if meeting.has_settled_speakers:
        stable = [turn for turn in said if turn.track == 1 and turn.state == TurnState.STABLE]
        assert not [turn for turn in stable if turn.end_us <= meeting.final_words_s * S]


@given(st.lists(steps, max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_client_that_keeps_the_last_revision_of_each_segment_knows_what_the_engines_say(
    happened: list[tuple[str, int, object]],
) -> None:
    meeting = Meeting()
    for step in happened:
        meeting.do(*step)
        check(meeting)
    # Whoever reads all events from the store knows the same.
    again = MeetingTurns(CONFIG, MEETING)
    again.restore(stored(meeting.events))
    assert sorted((s.start_us // 1000, s.end_us // 1000) for s in again.segments()) == sorted(
        (turn.start_ms, turn.end_ms) for turn in living(meeting)
    )


@given(st.lists(steps, max_size=8), st.tuples(*(runs(track) for track in range(TRACKS))))
@settings(deadline=None)
def test_in_the_end_every_turn_is_final_as_the_meeting_has_it_or_retracted(
    happened: list[tuple[str, int, object]], finished: tuple[list[TurnSnapshot], ...]
) -> None:
    meeting = Meeting()
    for step in happened:
        meeting.do(*step)
    frozen = {id_: turn for id_, turn in meeting.client.items() if turn.state == pb.LIVE_TURN_STATE_FINAL}
    last = {turn.segment_id: turn for run in finished for turn in run}
    conversation = Conversation(9 * S, (1, 2), tuple(turn.segment() for turn in last.values()), EngineCapabilities())
    meeting.tell(meeting.turns.final_changes(conversation))
    ends = {id_: turn for id_, turn in meeting.client.items() if turn.state == pb.LIVE_TURN_STATE_FINAL}
    assert {turn.state for turn in meeting.client.values()} <= {
        pb.LIVE_TURN_STATE_FINAL,
        pb.LIVE_TURN_STATE_RETRACTED,
    }
    assert {id_: ends[id_] for id_ in frozen} == frozen
    new = [turn for id_, turn in ends.items() if id_ not in frozen]
    places = {(turn.track_id, turn.start_ms) for turn in frozen.values()}
    expected = [turn for turn in last.values() if (f"t{turn.track}", turn.start_us // 1000) not in places]
    assert Counter(content(meeting, turn) for turn in new) == Counter(content(meeting, turn) for turn in expected)
    assert meeting.turns.final_changes(conversation) == []


@given(st.lists(steps, max_size=12))
@settings(deadline=None)
def test_a_client_that_reads_only_speaker_revisions_of_what_it_has_is_told_the_truth(
    happened: list[tuple[str, int, object]],
) -> None:
    meeting = Meeting()
    for step in happened:
        before = {id_: turn.speaker_id for id_, turn in meeting.client.items()}
        seen = len(meeting.events)
        meeting.do(*step)
        for event in meeting.events[seen:]:
            revision = event.speaker_revision
            for id_ in revision.segment_ids:
                assert before[id_] == revision.from_speaker_id
                assert meeting.client[id_].speaker_id == revision.to_speaker_id
            if revision.kind == pb.REVISION_KIND_MERGE:
                assert revision.from_speaker_id not in {turn.speaker_id for turn in living(meeting)}


def test_the_model_of_these_tests_notices_a_repeated_event() -> None:
    meeting = Meeting()
    meeting.say([TurnSnapshot(0, 0, TurnState.STABLE, 2, 0, S, ())])
    events = meeting.turns.changes()
    meeting.tell(events)
    with pytest.raises(AssertionError):
        meeting.tell(stored(events))
