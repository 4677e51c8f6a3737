"""Corrections by hand: merges and splits of speakers."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import Merge, Split, edited, sentences_of
from tests.server.conversation.spoken import conversation, talk


def test_edits_move_segments_and_their_sentences() -> None:
    said = talk((1, "one"), (2, "two"), (1, "three"))
    said = replace(said, sentences=sentences_of(said))
    merged = edited(said, [Merge(2, 1)])
    assert merged.speakers == (1,)
    assert {s.speaker for s in merged.segments} == {s.speaker for s in merged.sentences} == {1}
    third = said.segments[2]
    split = edited(said, [Split(1, 3, third.start_us, third.end_us)])
    assert [s.speaker for s in split.segments] == [1, 2, 3]
    assert [s.speaker for s in split.sentences] == [1, 2, 3]
    assert edited(said, [Split(1, 3, third.start_us, third.end_us), Merge(3, 1)]) == said
    assert edited(said, []) == said
    assert edited(conversation(), [Merge(1, 2)]) == conversation()
