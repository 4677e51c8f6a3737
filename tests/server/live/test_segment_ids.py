"""An id names one stretch of speech for ever, however turns are rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb

from server.conversation import TurnState
from server.live.segment_ids import SegmentIds
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns
from tests.server.live.live_configs import MIXED, of_kinds
from tests.server.live.test_turns import MEETING, stored

ROOM = of_kinds(MIXED)
PARTIAL, STABLE, RETRACTED = TurnState.PARTIAL, TurnState.STABLE, TurnState.RETRACTED
Spans = list[tuple[int, int, int, TurnState]]


class Client:
    """What a client makes of a track whose turns are rebuilt, each time with numbers of their own."""

    def __init__(self) -> None:
        self.turns = MeetingTurns(ROOM, MEETING)
        self.numbers: set[int] = set()
        self.next = 1
        self.events: list[pb.LiveEvent] = []
        self.known: dict[int, pb.LiveTurn] = {}

    def rebuild(self, spans: Spans) -> None:
        """The engine's turns are these now: start and end, speaker, state."""
        for number in self.numbers:
            self.turns.update(TurnSnapshot(number, 0, RETRACTED, 0, 0, 0, ()))
        self.numbers = set(range(self.next, self.next + len(spans)))
        for number, (start_ms, end_ms, speaker, state) in enumerate(spans, start=self.next):
            self.turns.update(TurnSnapshot(number, 0, state, speaker, 1000 * start_ms, 1000 * end_ms, ()))
        self.next += len(spans)
        self.receive(self.turns.changes())

    def receive(self, events: list[pb.LiveEvent]) -> None:
        self.events += events
        self.known.update((event.turn.segment_id, event.turn) for event in events if event.HasField("turn"))

    def there(self) -> dict[int, tuple[int, int]]:
        """Start and end of the segments that exist, by id."""
        return {id_: (t.start_ms, t.end_ms) for id_, t in self.known.items() if t.state != pb.LIVE_TURN_STATE_RETRACTED}


def told(*steps: Spans) -> Client:
    client = Client()
    for spans in steps:
        client.rebuild(spans)
    return client


SAME_SPEECH: dict[str, tuple[Spans, Spans, dict[int, tuple[int, int]]]] = {
    "it grows": ([(0, 1000, 1, PARTIAL)], [(0, 9000, 1, PARTIAL)], {1: (0, 9000)}),
    "it moves a little": ([(0, 1000, 1, STABLE)], [(400, 1400, 1, STABLE)], {1: (400, 1400)}),
    "it moves by half": ([(0, 1000, 1, STABLE)], [(500, 1500, 1, STABLE)], {2: (500, 1500)}),
    "it is other speech": ([(26000, 28300, 3, STABLE)], [(31200, 48400, 13, STABLE)], {2: (31200, 48400)}),
    "it is split": (
        [(0, 10000, 1, STABLE)],
        [(0, 7000, 1, STABLE), (7000, 10000, 2, STABLE)],
        {1: (0, 7000), 2: (7000, 10000)},
    ),
    "it is split in three": (
        [(0, 9000, 1, STABLE)],
        [(0, 3000, 1, STABLE), (3000, 6000, 2, STABLE), (6000, 9000, 1, STABLE)],
        {2: (0, 3000), 3: (3000, 6000), 4: (6000, 9000)},
    ),
    "two are one": ([(0, 3000, 1, STABLE), (3000, 9000, 2, STABLE)], [(0, 9000, 1, STABLE)], {2: (0, 9000)}),
    "one before it is split": (
        [(0, 4000, 1, STABLE), (5000, 9000, 2, STABLE)],
        [(0, 3000, 1, STABLE), (3000, 4000, 2, STABLE), (5000, 9000, 2, STABLE)],
        {1: (0, 3000), 2: (5000, 9000), 3: (3000, 4000)},
    ),
    "what had ended grows": ([(0, 3000, 1, STABLE)], [(0, 9000, 1, PARTIAL)], {2: (0, 9000)}),
    "words of what has ended are looked for again": ([(0, 3000, 1, STABLE)], [(0, 3000, 1, PARTIAL)], {1: (0, 3000)}),
    "two speak at once and change": (
        [(0, 3000, 1, STABLE), (0, 3000, 2, STABLE)],
        [(0, 2900, 2, STABLE), (0, 3000, 1, STABLE)],
        {1: (0, 3000), 2: (0, 2900)},
    ),
}


@pytest.mark.parametrize("what", SAME_SPEECH)
def test_an_id_stays_on_its_speech(what: str) -> None:
    before, after, expected = SAME_SPEECH[what]
    client = told(before, after)
    assert client.there() == expected
    # A server that takes the meeting up knows them too.
    again = MeetingTurns(ROOM, MEETING)
    again.restore(stored(client.events))
    again.start_catch_up(0)
    for number, (start_ms, end_ms, speaker, state) in enumerate(after, start=70):
        again.update(TurnSnapshot(number, 0, state, speaker, 1000 * start_ms, 1000 * end_ms, ()))
    again.finish_catch_up(0)
    assert again.changes() == []


def test_what_has_ended_never_begins_again() -> None:
    client = told([(0, 3000, 1, STABLE)], [(0, 3500, 1, PARTIAL)])
    assert [(e.turn.revision, e.turn.state) for e in client.events] == [(1, 2), (2, 2)]


def test_an_id_that_was_retracted_never_comes_back() -> None:
    client = told([(0, 3000, 1, STABLE)], [], [(0, 3000, 1, STABLE)])
    assert client.there() == {2: (0, 3000)}
    assert [(e.turn.segment_id, e.turn.state) for e in client.events] == [(1, 2), (1, 4), (2, 2)]


def test_an_id_cannot_creep_away_from_its_speech_step_by_step() -> None:
    client = told(*([(step, 1000 + step, 1, STABLE)] for step in range(0, 3000, 100)))
    for id_, (start_ms, end_ms) in client.there().items():
        first = next(e.turn for e in client.events if e.turn.segment_id == id_)
        assert 2 * (min(end_ms, first.end_ms) - max(start_ms, first.start_ms)) > 1000
    assert len(client.known) > 3


def test_tracks_share_no_ids() -> None:
    ids = SegmentIds()
    first = pb.LiveTurn(segment_id=ids.next(), track_id="a", start_ms=0, end_ms=1000, state=pb.LIVE_TURN_STATE_STABLE)
    ids.record(first)
    other = pb.LiveTurn(track_id="b", start_ms=0, end_ms=1000, state=pb.LIVE_TURN_STATE_STABLE)
    assert ids.match({7: other}, [first], {}) == {}
    assert ids.match({7: first}, [first], {}) == {7: 1}


@st.composite
def cuts(draw: st.DrawFn) -> Spans:
    """Ten seconds of speech, cut anywhere, some of it of two at once."""
    borders = [0, *sorted(draw(st.sets(st.integers(1, 99), max_size=6))), 100]
    spans: Spans = []
    for start, end in pairwise(borders):
        state = draw(st.sampled_from((PARTIAL, STABLE)))
        spans.append((100 * start, 100 * end, draw(st.integers(0, 3)), state))
    beside: Iterator[int] = iter(sorted(draw(st.sets(st.integers(0, 100), max_size=4))))
    spans += [(100 * a, 100 * b, draw(st.integers(1, 3)), STABLE) for a, b in zip(beside, beside, strict=False)]
    return spans


@given(st.lists(cuts(), max_size=6))
def test_whatever_is_cut_each_id_names_one_stretch_of_speech(steps: list[Spans]) -> None:
    client = Client()
    for spans in steps:
        before = dict(client.known)
        seen = len(client.events)
        client.rebuild(spans)
        assert sorted(client.there().values()) == sorted((start, end) for start, end, _, _ in spans)
        for event in client.events[seen:]:
            turn, known = event.turn, before.get(event.turn.segment_id)
            if not event.HasField("turn") or known is None:
                continue
            assert known.state != pb.LIVE_TURN_STATE_RETRACTED
            assert turn.state >= known.state
            history = [e.turn for e in client.events if e.turn.segment_id == turn.segment_id]
            stable = [old for old in history if old.state == pb.LIVE_TURN_STATE_STABLE]
            for old in (history[0], *stable[:1]):
                shared_ms = min(turn.end_ms, old.end_ms) - max(turn.start_ms, old.start_ms)
                assert 2 * shared_ms > old.end_ms - old.start_ms
