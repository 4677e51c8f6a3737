"""Writing systems: spaces between words, and sentence-final marks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from server.conversation.redaction_kinds import PLACEHOLDER

# Languages without spaces between words, with their approximate letters per word; recognisers give characters or
# subwords.
_LETTERS_PER_WORD = {"zh": 1.5, "yue": 1.5, "ja": 2.0, "th": 4.0, "lo": 4.0, "my": 4.0, "km": 5.0}
# Thai and Lao, Burmese, Khmer, kana, Han, and full-width forms with their punctuation.
UNSPACED_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U0003ffff"
)
# Combining signs that ``re`` does not count as word characters: vowels and tones of Hebrew, Arabic, the scripts of
# India (whole blocks without sentence marks), Thai, Lao, Tibetan, Ethiopic, Burmese and Khmer.
COMBINING_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u096f\u0971-\u0df3\u0e31\u0e34-\u0e3a"
    "\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f18\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f8d-\u0fbc"
    "\u102b-\u103e\u1056-\u1059\u135d-\u135f\u17b4-\u17d3\u17dd\u200c\u200d"
)
_TIGHT_END, _TIGHT_START = re.compile(f"[{UNSPACED_SCRIPTS}]$"), re.compile(f"[{UNSPACED_SCRIPTS}]")
_FULL_WIDTH_END = re.compile("[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]$")
_CLOSING = "\"'”’)»」』）】"
# Latin, CJK, Arabic and Urdu, Devanagari, Armenian, Ethiopic, Burmese, Khmer and Tibetan.
END = re.compile(f"[.?!…。！？｡؟۔।॥։።፧။។།]+[{_CLOSING}]*$")
_GREEK_END = re.compile(f"[.?!…;\u037e]+[{_CLOSING}]*$")
_ASKS = re.compile("[?？؟፧]$")
_GREEK_ASKS = re.compile("[?;\u037e]$")
# Written over the stressed vowel, not at the end.
_ARMENIAN_QUESTION_MARK = "՞"


def uses_spaces(language: str) -> bool:
    """Return whether a language writes spaces between words; True for an unknown one."""
    return language not in _LETTERS_PER_WORD


def ends_sentence(text: str, language: str) -> bool:
    """Return whether a text ends in a sentence-final mark."""
    return bool((_GREEK_END if language == "el" else END).search(text))


def has_question_mark(text: str, language: str) -> bool:
    """Return whether a sentence carries its language's question mark."""
    stripped = text.rstrip(" " + _CLOSING)
    if language == "hy" and _ARMENIAN_QUESTION_MARK in text:
        return True
    return bool((_GREEK_ASKS if language == "el" else _ASKS).search(stripped))


def join_words(words: Iterable[str], language: str) -> str:
    """Join words into a text; in a language without spaces, only Latin words and digits are spaced."""
    if uses_spaces(language):
        return " ".join(words)
    text = ""
    for word in words:
        needs_space = text and word and not _TIGHT_END.search(text) and not _TIGHT_START.match(word)
        text += f" {word}" if needs_space else word
    return text


def join_sentences(sentences: Iterable[str]) -> str:
    """Join sentences with spaces, except after full-width marks, which include their own."""
    text = ""
    for sentence in sentences:
        text += f" {sentence}" if text and not _FULL_WIDTH_END.search(text) else sentence
    return text


def count_words(text: str, language: str) -> int:
    """Count the words of a text; in a language without spaces, estimate them from its letters.

    A placeholder of something redacted is one word.
    """
    if uses_spaces(language):
        return len(text.split())
    text, redacted = PLACEHOLDER.subn("", text)
    letters = sum(character.isalnum() for character in text)
    return redacted + (-int(-letters // _LETTERS_PER_WORD[language]) if letters else 0)
