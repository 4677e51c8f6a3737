"""Turns of a track that may carry other people's voices: shown once that is known, or taken back."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import FRAME_US, Heard, TurnState, Word, meeting_segment_id, part_id
from server.live.copied_turns import EVERYTHING_US, CopiedTurns
from server.live.turn_snapshot import TurnSnapshot

OWN, COPY = Heard.OWN, Heard.COPY
START_US = 3_000_000
RETRACTED = TurnState.RETRACTED


def turn(
    first: int, last: int, *, number: int = 1, state: TurnState = TurnState.PARTIAL, words: int = 0
) -> TurnSnapshot:
    """A turn of frames, with a word in each of the first ``words``."""
    said = tuple(
        Word(f"w{n}", START_US + n * FRAME_US, START_US + (n + 1) * FRAME_US, None) for n in range(first, first + words)
    )
    return TurnSnapshot(number, 0, state, 1, START_US + first * FRAME_US, START_US + last * FRAME_US, said)


def mix() -> CopiedTurns:
    return CopiedTurns(START_US, compared=True, held=True)


def test_a_track_that_is_compared_with_none_shows_everything_at_once() -> None:
    copied = CopiedTurns(START_US)
    assert copied.pass_on(turn(0, 8)) == [turn(0, 8)]
    assert copied.judged_through_us == EVERYTHING_US


def test_a_turn_of_a_mix_waits_until_it_is_judged() -> None:
    copied = mix()
    assert copied.pass_on(turn(0, 8)) == []
    assert copied.judged_through_us == START_US
    assert copied.judged([OWN] * 4, idle=False) == [turn(0, 8)]
    assert copied.judged_through_us == START_US + 4 * FRAME_US
    # It is passed on again with each judgement until its end is known.
    assert copied.judged([OWN] * 4, idle=False) == [turn(0, 8)]
    assert copied.judged([OWN] * 4, idle=False) == []


def test_a_copied_turn_of_a_mix_is_never_shown() -> None:
    copied = mix()
    assert copied.pass_on(turn(0, 8)) == []
    assert copied.judged([COPY] * 8, idle=False) == []
    assert copied.pass_on(turn(0, 8, state=TurnState.STABLE)) == []


def test_what_was_shown_and_proves_a_copy_is_taken_back() -> None:
    copied = CopiedTurns(START_US, compared=True)
    assert copied.pass_on(turn(0, 8, words=2)) == [turn(0, 8, words=2)]
    assert copied.judged([COPY] * 8, idle=False) == [turn(0, 8, state=RETRACTED)]


def test_copied_words_and_ends_are_left_out_by_the_clock_of_the_meeting() -> None:
    copied = mix()
    copied.judged([COPY, COPY, OWN, OWN, OWN, OWN], idle=False)
    (shown,) = copied.pass_on(turn(0, 6, words=6))
    assert [word.text for word in shown.words] == ["w2", "w3", "w4", "w5"]
    assert (shown.start_us, shown.end_us) == (START_US + 2 * FRAME_US, START_US + 6 * FRAME_US)
    assert shown.words[0].start_us == START_US + 2 * FRAME_US


def test_a_turn_that_a_copy_interrupts_becomes_two() -> None:
    copied = CopiedTurns(START_US, 3, compared=True)
    whole = replace(turn(0, 8, words=8), segment_id=meeting_segment_id(7, 2, 3))
    assert copied.pass_on(whole) == [whole]
    first, second = copied.judged([OWN, OWN, OWN, COPY, COPY, OWN, OWN, OWN], idle=False)
    assert first.segment_id == whole.segment_id
    assert second.segment_id == meeting_segment_id(part_id(7, 1), 2, 3)
    assert [len(first.words), len(second.words)] == [3, 3]
    # It is one segment again, or none, if the engine says so later.
    assert [(t.segment_id, t.state) for t in copied.pass_on(replace(whole, end_us=START_US + 3 * FRAME_US))] == [
        (second.segment_id, RETRACTED),
        (first.segment_id, TurnState.PARTIAL),
    ]


def test_a_track_from_which_nothing_comes_waits_for_nothing() -> None:
    copied = mix()
    assert copied.pass_on(turn(0, 8)) == []
    assert copied.judged([], idle=True) == [turn(0, 8)]
    assert copied.judged_through_us == EVERYTHING_US
    assert copied.pass_on(turn(9, 10, number=2)) == [turn(9, 10, number=2)]
    # It was only late: what follows is judged, and takes back what was shown.
    assert copied.judged([COPY] * 8, idle=False) == [turn(0, 8, state=RETRACTED)]


def test_what_an_engine_retracts_is_retracted_and_a_new_engine_starts_over() -> None:
    copied = mix()
    copied.pass_on(turn(0, 8))
    assert copied.pass_on(turn(0, 8, state=RETRACTED)) == []
    copied.judged([], idle=True)
    copied.pass_on(turn(0, 8))
    assert copied.pass_on(turn(0, 8, state=RETRACTED)) == [turn(0, 8, state=RETRACTED)]
    assert copied.judged([OWN] * 8, idle=False) == []
    copied.pass_on(turn(8, 12, number=2))
    copied.restart()
    assert copied.judged([OWN] * 8, idle=False) == []


def test_an_engine_that_begins_later_leaves_what_was_said_before_to_be_judged() -> None:
    copied = CopiedTurns(START_US, compared=True)
    copied.pass_on(turn(0, 8, number=1))
    copied.pass_on(turn(8, 16, number=2))
    copied.restart(START_US + 8 * FRAME_US)
    assert copied.judged([COPY] * 16, idle=False) == [turn(0, 8, number=1, state=RETRACTED)]


def test_a_track_that_is_compared_from_now_on_keeps_what_it_said_and_takes_back_what_it_copies() -> None:
    copied = CopiedTurns(START_US, 32)
    first, second = turn(0, 8, number=32), turn(8, 16, number=64)
    assert (copied.pass_on(first), copied.pass_on(second)) == ([first], [second])
    copied.begin_comparing(8, held=True)
    assert copied.judged_through_us == START_US + 8 * FRAME_US
    # The engine tells both again: the second stays as it is until its audio is compared.
    assert copied.pass_on(first) == [first]
    assert copied.pass_on(second) == []
    assert copied.judged([COPY] * 8, idle=False) == [replace(second, state=RETRACTED)]
