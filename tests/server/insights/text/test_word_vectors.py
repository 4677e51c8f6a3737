"""Vectors of words: what is said alike is near, whatever the language, and never beside a model's vector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.insights.family import MeetingFacts
from server.insights.key_points import central_sentences, key_points
from server.insights.text.vectors import comparable_sentences
from server.insights.text.word_vectors import DIMENSIONS, word_vectors
from server.insights.topics import topic_borders
from tests.server.insights.meetings_in_languages import german_and_english, meeting, talk
from tests.server.insights.talks import S, sentence

SAID = {
    "de": ("Das Budget ist knapp.", "Die Budgets sind knapp.", "Im Garten blühen Rosen."),
    "ru": ("Бюджет очень маленький.", "О бюджете и его размере.", "В саду цветут розы."),
    "ja": ("予算が足りません。", "予算は足ります。", "庭に花が咲いた。"),
    "th": ("งบประมาณไม่พอ", "งบประมาณของเรา", "ดอกไม้ในสวน"),
    "hi": ("बजट बहुत कम है।", "बजट कम क्यों है?", "बगीचे में फूल खिले।"),
    "ar": ("الميزانية قليلة جدا.", "الميزانية ليست كافية.", "الورود في الحديقة."),
}


@pytest.mark.parametrize("language", SAID)
def test_what_shares_words_is_nearer_than_what_shares_none(language: str) -> None:
    similarity = (vectors := word_vectors(SAID[language])) @ vectors.T
    assert similarity[0, 1] > 0.12
    assert similarity[0, 1] > similarity[0, 2] + 0.1


@given(st.lists(st.text(max_size=40), max_size=8))
def test_vectors_are_of_unit_length_or_nothing(texts: list[str]) -> None:
    found = word_vectors(texts)
    assert found.shape == (len(texts), DIMENSIONS)
    lengths = np.linalg.norm(found, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-9) | (lengths == 0))


def test_a_word_in_every_sentence_says_less_than_a_rare_one() -> None:
    texts = ["also Budget", "also Garten", *["also " + "wir " * n for n in range(1, 9)]]
    budget, garden, *_ = word_vectors(texts)
    assert budget @ garden < 0.2


def test_the_same_words_have_the_same_vector_on_every_machine() -> None:
    (row,) = word_vectors(["Budget"])
    assert np.flatnonzero(row).tolist() == [264]


def test_sentences_that_are_compared_have_vectors_of_one_kind() -> None:
    english = [sentence(1, i, i + 1, f"The budget is number {i} here.") for i in range(19)]
    aside = replace(sentence(1, 30, 31, "Ach so."), vector=b"", language="de")
    mostly_english = comparable_sentences([*english, aside])
    assert (len(mostly_english.sentences), mostly_english.from_words) == (19, False)
    assert mostly_english.vectors.shape == (19, 384)
    mixed = comparable_sentences([*english[:5], aside])
    assert (len(mixed.sentences), mixed.from_words) == (6, True)
    assert mixed.vectors.shape == (6, DIMENSIONS)
    unread = replace(english[0], vector=b"", language="en")
    assert comparable_sentences([unread, *english[1:]]).sentences == english[1:]
    assert comparable_sentences([]).sentences == []


def test_who_speaks_german_in_an_english_meeting_has_key_points_too() -> None:
    points = dict(key_points(MeetingFacts(german_and_english())))
    assert all(points.values())


def test_what_is_said_again_and_again_is_central_in_any_language() -> None:
    lines = [f"Wir brauchen für das Projekt {n} mehr Geld im Budget." for n in ("Alpha", "Beta", "Gamma", "Delta")]
    aside = "Meine Tante isst im Regen gern eine Banane mit Zucker."
    found = talk(meeting("de", *((1, text) for text in [*lines, aside])))
    (chosen,) = central_sentences(found.sentences, 1)
    assert chosen.text in lines


def test_topics_change_where_the_words_do() -> None:
    budget = [f"Das Budget und die Kosten für Server Nummer {n} sind zu hoch." for n in range(60)]
    garden = [f"Im Garten blühen Rosen und Tulpen an Platz Nummer {n} sehr schön." for n in range(60)]
    said = meeting("de", *((1 + n % 2, text) for n, text in enumerate([*budget, *garden])))
    found = talk(said)
    assert topic_borders(found.sentences, found.duration_us) == [said[60].start_us]
    assert said[60].start_us > 200 * S
