"""Segments after corrections: cut where a sentence was moved, and with corrected words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Acoustics, Conversation, Segment, align_words, split_sentences
from server.conversation.corrected_segments import corrected_segments
from tests.server.conversation.spoken import talk


def with_sentences(conversation: Conversation) -> Conversation:
    return replace(conversation, sentences=split_sentences(conversation))


def speakers(conversation: Conversation) -> dict[int, int]:
    return {segment.segment_id: segment.speaker for segment in conversation.segments}


def said_by(segments: tuple[Segment, ...]) -> list[tuple[int, str]]:
    return [(segment.speaker, " ".join(word.text for word in segment.words)) for segment in segments]


SAID = with_sentences(talk((1, "One two. | Three four. | Five six."), (2, "Seven."), (1, "Eight. | Nine"), (1, "ten.")))


def test_a_sentence_in_the_middle_of_a_segment_is_cut_out_of_it() -> None:
    segments = corrected_segments(SAID, speakers(SAID), {1: 3}, {})
    assert said_by(segments) == [
        (1, "One two."),
        (3, "Three four."),
        (1, "Five six."),
        (2, "Seven."),
        (1, "Eight. Nine"),
        (1, "ten."),
    ]
    whole = SAID.segments[0]
    assert (segments[0].start_us, segments[2].end_us) == (whole.start_us, whole.end_us)
    for before, after in ((0, 1), (1, 2)):
        # In the middle of the pause.
        assert segments[before].end_us == segments[after].start_us
        assert segments[before].words[-1].end_us < segments[before].end_us < segments[after].words[0].start_us


def test_a_sentence_that_is_a_segment_moves_with_all_of_it() -> None:
    segments = corrected_segments(SAID, speakers(SAID), {3: 1}, {})
    assert segments[1] == replace(SAID.segments[1], speaker=1)
    assert [s for s in segments if s.segment_id != 2] == [s for s in SAID.segments if s.segment_id != 2]


def test_a_sentence_over_two_segments_moves_its_part_of_each() -> None:
    segments = corrected_segments(SAID, speakers(SAID), {5: 2}, {})
    assert said_by(segments)[2:] == [(1, "Eight."), (2, "Nine"), (2, "ten.")]


def test_corrected_words_stand_where_those_stood_that_they_replace() -> None:
    words = [SAID.segments[2].words[1], SAID.segments[3].words[0]]
    aligned = align_words(words, "Nine or eleven.", "en", punctuated=True)
    segments = corrected_segments(SAID, speakers(SAID), {}, {5: aligned})
    assert said_by(segments)[2:] == [(1, "Eight. Nine or"), (1, "eleven.")] or said_by(segments)[2:] == [
        (1, "Eight. Nine"),
        (1, "or eleven."),
    ]
    assert segments[:2] == SAID.segments[:2]
    gone = align_words(words, "ten.", "en", punctuated=True)
    assert said_by(corrected_segments(SAID, speakers(SAID), {}, {5: gone}))[2:] == [(1, "Eight."), (1, "ten.")]


def test_measurements_are_shared_by_the_pieces_and_counted_once() -> None:
    measured = Acoustics(
        -20.0, voiced_seconds=4.0, pitch_semitones=3.0, decays_db_per_s=(1.0, 2.0), gaps=3, gap_seconds=0.5
    )
    said = replace(SAID, segments=(replace(SAID.segments[0], acoustics=measured), *SAID.segments[1:]))
    pieces = [p.acoustics for p in corrected_segments(said, speakers(said), {1: 3}, {}) if p.segment_id == 1]
    known = [piece for piece in pieces if piece is not None]
    assert len(known) == 3
    assert sum(piece.voiced_seconds for piece in known) == pytest.approx(4.0)
    assert sum(piece.gaps for piece in known) == 3
    assert sum(piece.gap_seconds for piece in known) == 0.5
    assert sum(len(piece.decays_db_per_s) for piece in known) == 2
    assert {(piece.level_dbfs, piece.pitch_semitones) for piece in known} == {(-20.0, 3.0)}


@given(st.dictionaries(st.integers(0, len(SAID.sentences) - 1), st.integers(1, 4)))
def test_pieces_have_the_time_and_the_words_of_their_segment(moved: dict[int, int]) -> None:
    segments = corrected_segments(SAID, speakers(SAID), moved, {})
    for whole in SAID.segments:
        pieces = [segment for segment in segments if segment.segment_id == whole.segment_id]
        assert (pieces[0].start_us, pieces[-1].end_us) == (whole.start_us, whole.end_us)
        assert [p.end_us for p in pieces[:-1]] == [p.start_us for p in pieces[1:]]
        assert tuple(word for piece in pieces for word in piece.words) == whole.words
        assert all(before.speaker != after.speaker for before, after in pairwise(pieces))
