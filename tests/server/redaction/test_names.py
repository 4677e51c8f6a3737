"""Names as they are said."""

from __future__ import annotations

import pytest

from server.redaction.names import NameFinder, fold_name, name_parts
from tests.server.redaction.words import found


def test_parts_of_full_names_count_from_three_letters() -> None:
    assert name_parts(["Dr. Anna-Lena von Übel", "Bo Li", "Speaker 2"]) == {"anna", "lena", "ubel"}
    assert name_parts(["李 明华"]) == {"明华"}


def test_diacritics_do_not_matter() -> None:
    assert {fold_name(name) for name in ("Müller", "MULLER", "müller")} == {"muller"}
    assert [fold_name(name) for name in ("Søren", "Łukasz", "Weiß")] == ["soren", "lukasz", "weiss"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("thanks DANIEL that is all", ["DANIEL"], id="in capitals"),
        pytest.param("Daniel's plan is Müller's plan.", ["Daniel's", "Müller's"], id="possessives"),
        pytest.param("We asked Daniel Muller, again.", ["Daniel Muller,"], id="a full name is one span"),
        pytest.param("Daniel, Grace, hello.", ["Daniel,", "Grace,"], id="two people are two spans"),
        pytest.param("Daniela is here", [], id="another name that begins alike"),
        pytest.param("she has grace and he will do it", [], id="ordinary words"),
        pytest.param("I asked Grace. Grace said yes.", ["Grace.", "Grace"], id="a name that is a word"),
        pytest.param("my name is grace", ["grace"], id="an introduction without capitals"),
    ],
)
def test_names_in_a_sentence(text: str, expected: list[str]) -> None:
    assert [words for _, words in found(text, ["Daniel Müller", "Grace Will"])] == expected


def test_where_nobody_is_known_every_common_given_name_counts() -> None:
    assert found("hello Maria and Kevin", any_given_name=True) == [("name", "Maria"), ("name", "Kevin")]
    assert found("my name is will and i will do it", any_given_name=True) == [("name", "will")]
    assert found("hello Maria and Kevin") == []


def test_without_names_nothing_is_one() -> None:
    assert NameFinder(()).find(["Daniel", "will"]) == []
