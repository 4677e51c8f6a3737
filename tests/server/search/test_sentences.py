"""Sentences as they are indexed."""

from __future__ import annotations

from dataclasses import replace

from server.insights import Topic
from server.search.sentences import MAX_TEXT, searchable_sentences
from tests.server.search.indexed import MODEL, Said, conversation_of

TOPICS: list[Topic] = [
    {"topic": "Prices", "start": 0, "end": 2000, "keywords": ["prices", "Euro"]},
    {"topic": "Design", "start": 2000, "end": 9000, "keywords": ["design"]},
]


def test_a_sentence_has_its_topic_words_and_meaning() -> None:
    first, second = searchable_sentences(
        conversation_of([Said("Twelve Euros.", meaning=1), Said("予算です。", 2, "ja")]), TOPICS
    )
    assert (first.number, first.speaker, first.start_ms, first.end_ms) == (0, 1, 0, 1000)
    assert (first.topic, first.topic_key) == ("Prices", "prices\nprices\neuro")
    assert (first.configuration, first.words, first.model) == ("english", "twelve euros", MODEL)
    assert len(first.vector) == 32
    assert (second.topic, second.configuration, second.words) == ("Design", "simple", "予算 算で です す")
    assert (second.model, second.vector) == ("", b"")


def test_a_vector_of_an_unknown_model_is_left_out() -> None:
    (row,) = searchable_sentences(conversation_of([Said("Yes.", meaning=1)], model="sentiment: x"), [])
    assert (row.model, row.vector, row.topic) == ("", b"", "")


def test_what_the_database_cannot_hold_is_cut() -> None:
    (row,) = searchable_sentences(conversation_of([Said("a\0b" + "c" * MAX_TEXT)]), [])
    assert "\0" not in row.text
    assert len(row.text) == MAX_TEXT


def test_removed_words_are_not_found_and_the_others_keep_their_numbers() -> None:
    said = conversation_of([Said("One."), Said("Two."), Said("Three.")])
    removed = replace(said, sentences=(said.sentences[0], replace(said.sentences[1], text=""), said.sentences[2]))
    assert [(row.number, row.text) for row in searchable_sentences(removed, [])] == [(0, "One."), (2, "Three.")]
