"""Corrections by hand: merges and splits of speakers."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import Merge, Split, apply_edits, split_sentences
from tests.server.conversation.spoken import conversation, talk


def test_edits_move_segments_and_their_sentences() -> None:
    said = talk((1, "one"), (2, "two"), (1, "three"))
    said = replace(said, sentences=split_sentences(said))
    merged = apply_edits(said, [Merge(2, 1)])
    assert merged.speakers == (1,)
    assert {s.speaker for s in merged.segments} == {s.speaker for s in merged.sentences} == {1}
    third = said.segments[2]
    split = apply_edits(said, [Split(1, 3, third.start_us, third.end_us)])
    assert [s.speaker for s in split.segments] == [1, 2, 3]
    assert [s.speaker for s in split.sentences] == [1, 2, 3]
    assert apply_edits(said, [Split(1, 3, third.start_us, third.end_us), Merge(3, 1)]) == said
    assert apply_edits(said, []) == said
    assert apply_edits(conversation(), [Merge(1, 2)]) == conversation()
