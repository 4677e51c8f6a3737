"""Which words make which sentence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Conversation, Segment, Word, find_sentence_words, join_words, split_sentences
from tests.server.conversation.spoken import ENGINE, segments, talk


def texts(conversation: Conversation) -> list[str]:
    """The words of each sentence."""
    return [
        join_words((conversation.segments[place.segment].words[place.word].text for place in places), "en")
        for places in find_sentence_words(conversation)
    ]


def with_sentences(conversation: Conversation) -> Conversation:
    return replace(conversation, sentences=split_sentences(conversation))


def test_a_sentence_has_the_words_that_it_was_made_of() -> None:
    said = with_sentences(
        talk((1, "One two. Three four."), (2, "Five."), (1, "Six seven."), (1, "Eight"), (1, "nine."))
    )
    assert [s.text for s in said.sentences] == ["One two.", "Three four.", "Five.", "Six seven.", "Eight nine."]
    assert texts(said) == [s.text for s in said.sentences]


def test_sentences_of_people_who_speak_at_once_keep_their_words_apart() -> None:
    """As on several tracks: the unknown speakers of two tracks have one number."""
    first = Segment(1, 0, 0, 4_000_000, (Word("One.", 0, 1_000_000, 0.9), Word("two.", 3_000_000, 4_000_000, 0.9)))
    second = Segment(2, 1, 500_000, 3_500_000, (Word("Three.", 500_000, 3_500_000, 0.9),))
    third = Segment(
        3, 0, 600_000, 3_600_000, (Word("Four.", 600_000, 1_000_000, 0.9), Word("five.", 2_000_000, 3_600_000, 0.9))
    )
    said = with_sentences(Conversation(5_000_000, (1,), (first, second, third), ENGINE))
    assert texts(said) == [s.text for s in said.sentences]


def test_without_words_there_is_nothing_to_find() -> None:
    assert find_sentence_words(Conversation(5_000_000, (1,), (Segment(1, 1, 0, 1_000_000),), ENGINE)) == ()


@given(st.lists(segments, unique_by=lambda segment: segment.segment_id))
def test_every_word_is_in_one_sentence(spoken: list[Segment]) -> None:
    in_order = sorted(spoken, key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id))
    said = with_sentences(Conversation(10**9, (), tuple(in_order), ENGINE))
    places = [place for found in find_sentence_words(said) for place in found]
    assert len(places) == len(set(places)) == sum(len(segment.words) for segment in said.segments)
