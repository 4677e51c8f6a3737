"""Corrections by hand: merges and splits of speakers, moved sentences and corrected words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.conversation import (
    Conversation,
    Edit,
    Merge,
    Move,
    Original,
    Reword,
    Split,
    align_words,
    apply_edits,
    edit_from_document,
    edit_to_document,
    split_sentences,
)
from tests.server.conversation.spoken import conversation, talk


def with_sentences(said: Conversation) -> Conversation:
    return replace(said, sentences=split_sentences(said))


SAID = with_sentences(talk((1, "One two. | Three four."), (2, "Five.")))
SECOND = SAID.sentences[1]


def move(sentence: int, speaker: int) -> Move:
    return Move(sentence, speaker, former_speaker=1, start_us=0)


def reword(sentence: int, text: str) -> Reword:
    """Of a sentence of the first segment, whose words are two each."""
    words = SAID.segments[0].words[2 * sentence : 2 * sentence + 2]
    aligned = align_words(words, text, "en", punctuated=True)
    return Reword(sentence, text, aligned, False, 0.5, (0.0, 0.0, 0.0, 1.0, 0.0, 0.0), b"\x00\x3c", "Old.", 7)


def test_edits_move_segments_and_their_sentences() -> None:
    said = with_sentences(talk((1, "one"), (2, "two"), (1, "three")))
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


def test_a_moved_sentence_is_its_speakers_with_words_and_time() -> None:
    moved = apply_edits(SAID, [move(1, 2)])
    assert [s.speaker for s in moved.sentences] == [1, 2, 2]
    assert [[w.text for w in s.words] for s in moved.segments] == [["One", "two."], ["Three", "four."], ["Five."]]
    assert moved.speaking_us(1) + moved.speaking_us(2) == pytest.approx(
        SAID.speaking_us(1) + SAID.speaking_us(2), abs=400_000
    )
    assert moved.originals == {1: Original(speaker=1)}
    new = apply_edits(SAID, [move(0, 3)])
    assert new.speakers == (3, 1, 2)


def test_a_moved_sentence_follows_merges_and_splits_of_whose_it_is() -> None:
    assert [s.speaker for s in apply_edits(SAID, [move(1, 2), Merge(2, 3)]).sentences] == [1, 3, 3]
    # Back among its neighbours, and no longer moved by itself.
    merged = apply_edits(SAID, [move(1, 2), Merge(2, 1)])
    assert ([s.speaker for s in merged.sentences], merged.originals) == ([1, 1, 1], {})
    split = apply_edits(SAID, [move(1, 2), Split(2, 3, SECOND.start_us, SECOND.end_us)])
    assert [s.speaker for s in split.sentences] == [1, 3, 2]
    assert [s.speaker for s in apply_edits(SAID, [move(1, 2), move(1, 1)]).sentences] == [1, 1, 2]


def test_corrected_words_have_their_own_analysis_and_keep_the_original() -> None:
    corrected = apply_edits(SAID, [reword(1, "Three or more.")])
    sentence = corrected.sentences[1]
    assert (sentence.text, sentence.polarity, sentence.vector) == ("Three or more.", 0.5, b"\x00\x3c")
    assert (sentence.start_us, sentence.end_us) == (SECOND.start_us, SECOND.end_us)
    assert [word.text for word, _ in corrected.words] == ["One", "two.", "Three", "or", "more.", "Five."]
    assert corrected.originals == {1: Original(text="Three four.")}
    assert apply_edits(SAID, [reword(1, "Three or more."), reword(1, "Four.")]).sentences[1].text == "Four."
    # What the engine wrote, typed again.
    assert apply_edits(SAID, [reword(1, "Three or more."), reword(1, "Three four.")]) == SAID


def test_removed_words_leave_an_empty_sentence_and_the_time_in_which_they_were_heard() -> None:
    removed = apply_edits(SAID, [reword(1, "")])
    assert [s.text for s in removed.sentences] == ["One two.", "", "Five."]
    assert [s.text for s in removed.spoken_sentences] == ["One two.", "Five."]
    assert [word.text for word, _ in removed.words] == ["One", "two.", "Five."]
    assert removed.originals == {1: Original(text="Three four.")}
    assert [removed.speech(speaker) for speaker in (1, 2)] == [SAID.speech(speaker) for speaker in (1, 2)]
    # A segment of which no word is left, then given to somebody else; and everything back.
    alone = apply_edits(SAID, [reword(0, ""), reword(1, ""), move(0, 2), move(1, 2)])
    assert [(s.speaker, s.words == ()) for s in alone.segments] == [(2, True), (2, False)]
    assert apply_edits(SAID, [reword(1, ""), reword(1, "Three four.")]) == SAID


def test_words_and_speaker_of_one_sentence_are_corrected_together() -> None:
    corrected = apply_edits(SAID, [reword(1, "Three."), move(1, 2)])
    assert corrected.originals == {1: Original("Three four.", 1)}
    assert [(s.speaker, [w.text for w in s.words]) for s in corrected.segments] == [
        (1, ["One", "two."]),
        (2, ["Three."]),
        (2, ["Five."]),
    ]


@pytest.mark.parametrize(
    "edit",
    [Merge(1, 2), Split(1, 3, 5, 9), move(4, 2), reword(1, "Three or more."), reword(1, "")],
    ids=["merge", "split", "move", "words", "removed words"],
)
def test_edits_are_stored_and_read_back(edit: Edit) -> None:
    assert edit_from_document(edit_to_document(edit)) == edit
