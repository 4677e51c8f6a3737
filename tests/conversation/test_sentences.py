"""Sentences from words: where they end, how they are spelled, and which ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.conversation import Conversation, Merge, Segment, Split, Word, apply_edits, split_sentences
from server.conversation.question_form import is_question
from server.conversation.sentences import format_sentence
from tests.conversation.test_conversation import ENGINE, S, conversation


def talk(*segments: tuple[int, str], pause_s: float = 0.05, between_s: float = 0.3) -> Conversation:
    """From (speaker, text): a word lasts 0.3 s; ``|`` in the text is a pause of 0.6 s."""
    made, clock = [], 0.0
    for number, (speaker, text) in enumerate(segments, start=1):
        start, words = clock, []
        for token in text.split():
            if token == "|":
                clock += 0.6
                continue
            words.append(Word(token, round(clock * S), round((clock + 0.3) * S), 0.9))
            clock += 0.3 + pause_s
        made.append(Segment(number, speaker, round(start * S), round(clock * S), tuple(words)))
        clock += between_s
    speakers = tuple(dict.fromkeys(speaker for speaker, _ in segments))
    return Conversation(round((clock + 1) * S), speakers, tuple(made), ENGINE)


def texts(conversation: Conversation) -> list[str]:
    return [sentence.text for sentence in split_sentences(conversation)]


def test_bare_words_are_cut_at_pauses_and_spelled() -> None:
    said = talk((1, "good morning everyone | i'm daniel | what do you think"), (2, "i think so"))
    assert texts(said) == ["Good morning everyone.", "I'm Daniel.", "What do you think?", "I think so."]


def test_a_pause_after_a_word_that_cannot_end_is_no_end() -> None:
    assert texts(talk((1, "we went to the | market"))) == ["We went to the market."]


def test_a_question_that_begins_without_a_pause_is_cut_off() -> None:
    said = talk((1, "the first item is the budget how much money did we spend last month"))
    assert texts(said) == ["The first item is the budget.", "How much money did we spend last month?"]
    told = talk((1, "i would like to know how we can help you with that"))
    assert len(texts(told)) == 1


def test_a_recogniser_that_punctuates_is_believed() -> None:
    said = talk((1, "Dr. Smith came. Did he stay? No."), (2, "He left at 5 p.m. yesterday"))
    assert texts(said) == ["Dr. Smith came.", "Did he stay?", "No.", "He left at 5 p.m.", "yesterday"]
    assert [s.asks for s in split_sentences(said)] == [False, True, False, False, False]


def test_segments_of_one_speaker_are_read_together_and_of_two_apart() -> None:
    assert texts(talk((1, "we need"), (1, "a plan"), (2, "yes"))) == ["We need a plan.", "Yes."]


def test_very_long_speech_is_cut_somewhere() -> None:
    found = split_sentences(talk((1, "word " * 130)))
    assert sum(len(s.text.split()) for s in found) == 130
    assert max(len(s.text.split()) for s in found) <= 41


@pytest.mark.parametrize(
    ("bare", "sentence"),
    [
        ("i'm sure that i will", "I'm sure that I will."),
        ("see you on monday in march laura", "See you on Monday in march Laura."),
        ("it works!", "It works!"),
        ("", ""),
    ],
)
def test_spelling(bare: str, sentence: str) -> None:
    assert format_sentence(bare, asks=False) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "what do you think",
        "um so can you open the file",
        "is that okay",
        "how about a smaller one",
        "anything else",
        "you have seen it haven't you",
        "in what way would it help",
        "do you know the price",
        "It works?",
    ],
)
def test_these_ask(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "what i mean is this",
        "when we get there it rains",
        "which is fine",
        "do the dishes",
        "have a look",
        "that's right",
        "i know what it is",
        "it is what it is",
        "yeah",
    ],
)
def test_these_tell(text: str) -> None:
    assert not is_question(text)


def test_punctuated_text_asks_only_where_it_says_so() -> None:
    assert not is_question("What a day.", punctuated=True)
    assert not is_question("What do you think.", punctuated=True)


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
