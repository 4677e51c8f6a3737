"""Segments say of files what they have grown by; their names say in which order they count."""

from __future__ import annotations

import json

import pytest

from server.audio.segments import (
    Grown,
    Segment,
    SegmentName,
    SegmentsDamaged,
    in_order,
    over_name,
    segment_names,
)

SEGMENT = Segment(
    {"track-0.log": 7, "cuts-0": 2},
    (Grown("track-0.log", 4, b"\n\0x"), Grown("cuts-0", 0, b"1\n"), Grown("cuts-1", 5, b"")),
)


def names(*texts: str) -> list[SegmentName]:
    return segment_names(f"live-{text}" for text in texts)


def number(value: int) -> str:
    return f"{value:010}"


def test_a_segment_is_read_as_it_was_written() -> None:
    assert Segment.decode(SEGMENT.encode()) == SEGMENT


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_segment_that_is_not_whole_is_refused(cut: int) -> None:
    with pytest.raises(SegmentsDamaged):
        Segment.decode(SEGMENT.encode()[:-cut])


def test_other_bytes_and_other_formats_are_refused() -> None:
    head, _, data = SEGMENT.encode().partition(b"\n")
    said = json.loads(head)
    documents: tuple[object, ...] = (
        {**said, "format": 2},
        {**said, "crc32": said["crc32"] + 1},
        {**said, "grown": [["../track-0.log", 4, len(data)]]},
        {**said, "grown": [["track-0.log", -1, len(data)]]},
        [],
    )
    for changed in documents:
        with pytest.raises(SegmentsDamaged):
            Segment.decode(json.dumps(changed).encode() + b"\n" + data)


def test_segments_count_by_holder_and_number_and_one_of_several_in_their_place() -> None:
    one, two = number(1), number(2)
    listed = names(
        f"{two}-{number(0)}",
        f"{one}-{number(0)}",
        f"{one}-{number(1)}-{number(3)}",
        f"{one}-{number(2)}",
        f"{one}-{number(3)}",
        f"{one}-{number(4)}",
    )
    ordered = in_order(listed)
    assert ordered == [(1, 0, 0), (1, 1, 3), (1, 4, 4), (2, 0, 0)]
    assert [segment_names([name.text]) for name in ordered] == [[name] for name in ordered]
    assert segment_names([over_name(1), "live-whole", "track-0.log", f"live-{one}"]) == []


@pytest.mark.parametrize("missing", [0, 2])
def test_a_missing_segment_is_noticed(missing: int) -> None:
    listed = [SegmentName(3, place, place) for place in range(4) if place != missing]
    with pytest.raises(SegmentsDamaged, match=f"segment {missing} of holder 3"):
        in_order(listed)
