"""Given names: written small, letters alone, and none that is an ordinary word as well."""

from __future__ import annotations

from server.conversation import AMBIGUOUS_NAMES, given_names


def test_names_are_known_and_words_are_none() -> None:
    assert {"laura", "daniel", "john"} <= given_names()
    assert not {"will", "may", "mark", "grace", "the", "budget"} & given_names()


def test_every_name_is_a_small_word_of_letters() -> None:
    assert len(given_names()) > 500
    assert all(name.isalpha() and name == name.lower() for name in given_names())


def test_what_is_ambiguous_is_no_name() -> None:
    assert not AMBIGUOUS_NAMES & given_names()
