"""Names: what can be read is kept in every script, what hides or turns is refused, what is shown is safe."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.visible_text import clean, escape_for_terminal, find_flaw, trim

GOOD = [
    "Daniel",
    "Зоя Müller-Œuvré",
    "会議 2",
    "שָׁלוֹם עֲלֵיכֶם",
    "محمد",
    "می\u200cخواهم",  # Persian, with a non-joiner
    "क्\u200dष",  # Devanagari, with a joiner
    "ก้็่",
    "e\u0301",
    "👨\u200d👩\u200d👧",
    "❤️",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # a flag made of tags
    "🇩🇪",
    "Anna \u200f(שרה)",  # a mark that says which way it runs
    "\U0001fae9",
    "[/x] {} \\u202e %s",
]
BAD = {
    "\u200b": "no visible characters",
    "\u200d\u200d": "no visible characters",
    "\u3164": "no visible characters",
    "\u2800": "no visible characters",
    "\u00ad": "no visible characters",
    "\u0301": "no visible characters",
    "\u202eleinaD": "bidirectional",
    "a\u2066b": "bidirectional",
    "a\nb": "control characters",
    "a\0b": "control characters",
    "\x1b[31mred": "control characters",
    "a\u2028b": "control characters",
    "a\U000e0041\U000e0042": "invisible",
    "a\ufffb": "invisible",
    "a\uffff": "invalid code points",
    "a\ufdd0": "invalid code points",
    "\ud800": "invalid code points",
    "Z" + "\u0301" * 11: "stacks more than 10 marks",
}


@pytest.mark.parametrize("name", GOOD)
def test_names_of_every_script_are_taken(name: str) -> None:
    assert find_flaw(name) is None
    assert clean(name) == trim(name) == name


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused_with_the_reason(name: str) -> None:
    assert BAD[name] in str(find_flaw(name))
    assert find_flaw(clean(name)) is None


def test_spaces_that_nobody_sees_are_dropped_around_a_name() -> None:
    assert trim("\ufeff \u200bAnna \u2060\n") == "Anna"
    assert clean("\u202e3pm\u0000.exe") == "3pm.exe"


def test_what_is_shown_neither_acts_nor_turns_its_line() -> None:
    assert escape_for_terminal("Anna") == "Anna"
    assert escape_for_terminal("\x1b[2J\u202ex") == "\\x1b[2J\\u202ex"
    assert escape_for_terminal("שרה") == "\u2068שרה\u2069"


@given(st.text(st.characters(max_codepoint=sys.maxunicode)))
def test_whatever_is_shown_is_without_controls(text: str) -> None:
    within = escape_for_terminal(text).removeprefix("\u2068").removesuffix("\u2069")
    assert all(unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") for character in within)
    assert not set(within) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert find_flaw(clean(text)) is None
