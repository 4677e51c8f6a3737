"""What is left of a segment in which its track carries other people's voices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import FRAME_US, Heard, Segment, Word, leave_out_copies, own_parts, part_id

N, W, C = Heard.NOTHING, Heard.OWN, Heard.COPY
F = FRAME_US


def words(*places: float) -> tuple[Word, ...]:
    """Words of half a frame, by the frames in which they begin."""
    return tuple(Word(f"w{place:g}", round(place * F), round((place + 0.5) * F), None) for place in places)


@pytest.mark.parametrize(
    ("frames", "left"),
    [
        ([W] * 8, [(0, 8)]),
        ([N] * 8, [(0, 8)]),
        ([], [(0, 8)]),
        ([C] * 8, []),
        ([N, N, C, C, N, N, N, N], []),
        ([C, C, C, C, W, W, W, W], [(4, 8)]),
        ([W, W, W, W, W, C, C, C], [(0, 5)]),
        ([W, W, C, C, N, N, W, W], [(0, 2), (6, 8)]),
        ([W, W, N, N, C, C, W, W], [(0, 4), (6, 8)]),
        ([W, W, W, C, W, W, W, W], [(0, 8)]),
        ([C, C, C, W, C, C, C, C], []),
        ([C, W, W, W, W, W, W, C], [(0, 8)]),
        ([C, C, W, W, W], [(2, 8)]),
        ([C, C], [(2, 8)]),
    ],
    ids=[
        "own",
        "silence",
        "unknown",
        "copy",
        "copy and silence",
        "copied start",
        "copied end",
        "copied middle",
        "silence before a copy",
        "one frame misjudged as a copy",
        "one frame misjudged as own",
        "single frames at the ends",
        "judged in part",
        "only the start is judged",
    ],
)
def test_copied_runs_are_left_out(frames: list[Heard], left: list[tuple[int, int]]) -> None:
    assert [(start // F, end // F) for start, end, _ in own_parts(0, 8 * F, (), frames)] == left


def test_words_go_with_the_frame_of_their_middle() -> None:
    parts = own_parts(0, 8 * F, words(*range(8)), [W, W, C, C, C, W, W, W])
    assert [[word.text for word in said] for _, _, said in parts] == [["w0", "w1"], ["w5", "w6", "w7"]]
    # A word that ends in a copied frame, but lies mostly before it, is kept.
    assert [[w.text for w in said] for _, _, said in own_parts(0, 4 * F, words(1.7, 1.8), [W, W, C, C])] == [["w1.7"]]


def test_a_segment_may_begin_and_end_anywhere_in_a_frame() -> None:
    frames = [C, C, C, W, W, C, C]
    assert own_parts(F + 7, 6 * F + 9, (), frames) == [(3 * F, 5 * F, ())]
    assert own_parts(3 * F + 7, 5 * F, (), frames) == [(3 * F + 7, 5 * F, ())]


def test_segments_without_copies_stay_what_they_are_and_parts_have_ids_of_their_own() -> None:
    segments = tuple(Segment(number, 1, number * 4 * F, (number + 1) * 4 * F, words(number * 4)) for number in range(3))
    left = leave_out_copies(segments, [W] * 4 + [C] * 4 + [W] * 4)
    assert left == (segments[0], segments[2])
    assert left[0] is segments[0]
    (whole,) = (Segment(5, 1, 0, 8 * F),)
    parts = leave_out_copies([whole], [W, W, W, C, C, W, W, W])
    assert [(part.segment_id, part.start_us // F, part.end_us // F) for part in parts] == [
        (5, 0, 3),
        (part_id(5, 1), 5, 8),
    ]


@given(
    st.lists(st.sampled_from(Heard), max_size=30),
    st.integers(0, 30 * F),
    st.integers(1, 10 * F),
    st.lists(st.floats(0, 40), max_size=10),
)
def test_nothing_is_ever_added_or_said_twice(frames: list[Heard], start: int, length: int, places: list[float]) -> None:
    said = words(*places)
    parts = own_parts(start, start + length, said, frames)
    borders = [moment for part in parts for moment in part[:2]]
    assert borders == sorted(borders)
    assert all(start <= moment <= start + length for moment in borders)
    kept = [word for part in parts for word in part[2]]
    assert all(kept.count(word) <= said.count(word) for word in kept)
    if C not in frames:
        assert parts == [(start, start + length, said)]
