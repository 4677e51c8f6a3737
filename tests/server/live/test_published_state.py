"""How far a live meeting stands: what is told to be final is, and says so again after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb

from server.conversation import TurnState
from server.live.config import LiveConfig
from server.live.published_state import PublishedState, PublishedWatermark, compute_watermark
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, PARTIAL, STABLE, S, stored, turn

PEOPLE = of_kinds(PARTICIPANT, PARTICIPANT)


def mark_of(told: PublishedState, config: LiveConfig, ignored: Sequence[int] = ()) -> tuple[int, int]:
    """How far speakers and words are final, milliseconds."""
    mark = compute_watermark(config, told.turns, ignored)
    return mark.final_through_ms, mark.words_final_through_ms


def kinds(events: Sequence[pb.LiveEvent]) -> list[str]:
    return [str(event.WhichOneof("event")) for event in events]


def test_words_are_final_as_far_as_they_are_on_every_track() -> None:
    told = PublishedState(PEOPLE, MEETING)
    assert mark_of(told, PEOPLE) == (0, 0)
    told.turns.mark_words_final(0, 5 * S)
    assert mark_of(told, PEOPLE) == (0, 0)
    told.turns.mark_words_final(1, 3 * S + 999)
    assert mark_of(told, PEOPLE) == (3000, 3000)
    # A track that the watermark does not cover, because it is a copy or silent, holds back nobody.
    assert mark_of(told, PEOPLE, ignored=[1]) == (5000, 5000)
    # What is said on a track that may be a copy waits until that is known.
    told.turns.update(turn(2, 1, track=0))
    assert mark_of(told, PEOPLE, ignored=[1]) == (2000, 5000)
    told.turns.settle_speakers(0)
    assert mark_of(told, PEOPLE, ignored=[1]) == (5000, 5000)


def test_a_turn_that_goes_on_is_not_passed_whatever_is_known_of_its_words() -> None:
    config = of_kinds(MIXED)
    told = PublishedState(config, MEETING)
    told.turns.update(turn(2, state=STABLE))
    told.turns.update(turn(4, state=PARTIAL))
    told.turns.mark_words_final(0, 9 * S)
    assert mark_of(told, config) == (0, 4000)
    told.turns.update(turn(4, state=STABLE))
    # Whose a turn of a room is may change until the end.
    assert mark_of(told, config) == (0, 9000)


def test_nothing_is_said_on_a_track_before_it_begins() -> None:
    config = of_kinds(PARTICIPANT, start_us=60 * S)
    told = PublishedState(config, MEETING)
    assert mark_of(told, config) == (60_000, 60_000)


def test_a_participant_is_final_as_far_as_their_words_once_they_are_known_to_be_no_copy() -> None:
    told = PublishedState(PEOPLE, MEETING)
    for track in (0, 1):
        told.turns.update(turn(2 + track, 1 + track, track=track))
        told.turns.mark_words_final(track, 5 * S)
    told.turns.settle_speakers(0)
    assert mark_of(told, PEOPLE) == (3000, 5000)
    told.turns.settle_speakers(1)
    assert mark_of(told, PEOPLE) == (5000, 5000)
    states = [event.turn.state for event in told.changes(()) if event.WhichOneof("event") == "turn"]
    assert states == [pb.LIVE_TURN_STATE_FINAL] * 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_a_watermark_never_falls_and_is_told_when_it_moves(moves: list[tuple[int, int]]) -> None:
    marks, seen = PublishedWatermark(), [(0, 0)]
    for final, words in moves:
        for event in marks.changes(pb.Watermark(final_through_ms=final, words_final_through_ms=words)):
            seen.append((event.watermark.final_through_ms, event.watermark.words_final_through_ms))
    assert all(a != b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(seen))
    assert all(final <= words for final, words in seen)
    final = max((final for final, _ in moves), default=0)
    assert seen[-1] == (final, max([final, *(words for _, words in moves)]))


def test_languages_come_before_the_turns_in_them_and_the_watermark_last() -> None:
    told = PublishedState(PEOPLE, MEETING)
    for track in (0, 1):
        told.languages.update(track, "de", None)
        told.turns.update(turn(2 + track, 1 + track, track=track))
        told.turns.mark_words_final(track, 5 * S)
    assert kinds(told.changes([1])) == ["language", "turn", "turn", "watermark"]
    assert told.changes([1]) == []


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    first = PublishedState(PEOPLE, MEETING)
    for track in (0, 1):
        first.turns.settle_speakers(track)
        first.languages.update(track, "de", 0.9)
        first.turns.update(turn(2 + track, 1 + track, track=track))
        first.turns.mark_words_final(track, 3 * S + 500_000)
    events = stored(first.changes(()))
    second = PublishedState(PEOPLE, MEETING)
    # They come in batches.
    for event in events:
        second.restore([event])
    assert second.changes(()) == []
    assert mark_of(second, PEOPLE) == (2000, 3500)
    # Copies are looked for anew; what had not become final by then has not changed.
    for track in (0, 1):
        second.turns.settle_speakers(track)
    assert second.changes(()) == []
    second.turns.mark_words_final(1, 4 * S)
    (event,) = second.changes(())
    assert (event.turn.start_ms, TurnState(event.turn.state)) == (3000, TurnState.FINAL)
