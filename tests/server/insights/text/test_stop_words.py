"""Function words by language."""

from __future__ import annotations

import pytest

from server.insights.text.stop_words import stop_words


@pytest.mark.parametrize(
    ("language", "word"), [("en", "the"), ("de", "und"), ("fr", "avec"), ("zh", "的"), ("no", "ikke")]
)
def test_languages_have_their_own(language: str, word: str) -> None:
    assert word in stop_words(language)
    assert "budget" not in stop_words(language)


def test_a_language_that_is_listed_as_another_has_its_words() -> None:
    assert stop_words("nb") == stop_words("no")
    assert stop_words("yue") == stop_words("zh")


def test_an_unknown_language_has_none() -> None:
    assert stop_words("qqq") == stop_words("") == frozenset()
