"""Digits of recognised words, written ("4111") or spoken ("four one one one", "double five").

Number words are composed as numbers are dictated: "twenty three" is 23, "eight hundred" 800, "oh" zero beside digits.
English is read up to thousands, nine other languages by the names of their digits: recognisers write most longer
numbers in figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ENGLISH = "zero one two three four five six seven eight nine"
_DIGIT_WORDS = {
    "en": _ENGLISH,
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "sv": "noll ett två tre fyra fem sex sju åtta nio",
    "da": "nul en to tre fire fem seks syv otte ni",
}
_VARIANTS = {
    "en": {"oh": "0", "o": "0", "nought": "0", "naught": "0", "niner": "9"},
    "de": {"zwo": "2", "ein": "1"},
    "pt": {"meia": "6", "uma": "1", "duas": "2"},
    "fr": {"une": "1"},
    "nl": {"één": "1"},
}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_ZEROS = {"hundred": "00", "thousand": "000"}
# Said between the groups of a number.
FILLERS = frozenset(
    """
        um uh er erm ah hm hmm mm so okay ok yes yeah right then and dash hyphen minus space comma dot slash point
        äh ähm also und euh alors et este entonces y ehm allora e então en dan
    """.split()
)
MAX_FILLERS = 2
MAX_WORD = 64
_OUTER = "\"'“”‘’«»([{<"
_OUTER_END = "\"'“”‘’«»)]}>.,;:!?…"
_WRITTEN = re.compile(r"\+?\(?\d[\d()./\-\u2010-\u2014\u00a0]*")
# Numbers that are no strings of digits: dates, versions and decimals, addresses of machines.
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}[-/]\d{1,4}|\d{4}[-/]\d{1,2}")
_DECIMAL = re.compile(r"\d+\.\d{1,2}|\d{1,2}\.\d+")
_ADDRESS = re.compile(r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}")
_LISTED = re.compile(r"\d(?:,\d)+|\d{4}(?:,\d{4})+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


@dataclass(frozen=True, slots=True)
class DigitGroup:
    """Digits that were said or written together."""

    digits: str
    first: int
    """Index of its first word."""
    last: int
    """Index of its last word, inclusive."""
    plus: bool = False
    """Whether a plus stands before it."""
    amount: bool = False
    """Whether it is written as an amount, in groups of thousands."""
    spoken: bool = False
    """Whether it was said digit by digit or in number words."""


def bare(text: str) -> str:
    """Return a word in lower case, without punctuation around it."""
    return text[:MAX_WORD].lstrip(_OUTER).rstrip(_OUTER_END).lower().replace("’", "'")


def digit_words(language: str) -> dict[str, str]:
    """Return the names of the digits in English and in a language.

    Args:
        language: BCP 47 primary tag; empty if unknown.
    """
    found: dict[str, str] = {}
    for tag in dict.fromkeys((language, "en")):
        names = {name: str(value) for value, name in enumerate(_DIGIT_WORDS.get(tag, "").split())}
        found = {**names, **_VARIANTS.get(tag, {}), **found}
    return found


def find_digit_groups(texts: Sequence[str], language: str) -> list[DigitGroup]:
    """Return the groups of digits in the words of a speaker, in order.

    Args:
        texts: the words as recognised.
        language: BCP 47 primary tag of the words; empty if unknown.
    """
    names = digit_words(language)
    groups: list[DigitGroup] = []
    index = 0
    while index < len(texts):
        group = _read(texts, index, names)
        if group is None:
            index += 1
        else:
            groups.append(group)
            index = group.last + 1
    return groups


def _read(texts: Sequence[str], index: int, names: dict[str, str]) -> DigitGroup | None:
    """Return the group that begins with a word, or None."""
    word = bare(texts[index])
    if word in ("plus", "+"):
        if index + 1 == len(texts) or bare(texts[index + 1]) in ("plus", "+"):
            return None
        group = _read(texts, index + 1, names)
        return None if group is None or group.plus else _replace_first(group, index)
    written = _read_written(texts[index], index)
    if written is not None:
        return written
    if word in _REPEATS and index + 1 < len(texts):
        digit = names.get(bare(texts[index + 1]), bare(texts[index + 1]))
        if len(digit) == 1 and digit.isdecimal():
            return DigitGroup(digit * _REPEATS[word], index, index + 1, spoken=True)
        return None
    return _read_spoken(texts, index, names)


def _replace_first(group: DigitGroup, first: int) -> DigitGroup:
    return DigitGroup(group.digits, first, group.last, plus=True, amount=group.amount, spoken=group.spoken)


def _read_written(text: str, index: int) -> DigitGroup | None:
    stripped = text[:MAX_WORD].lstrip(_OUTER.replace("(", "")).rstrip(_OUTER_END)
    if _GROUPED.fullmatch(stripped):
        return DigitGroup(stripped.replace(",", ""), index, index, amount=True)
    # A recogniser that writes commas between groups may leave no space: "4,1,1,1", "4111,1111".
    if _LISTED.fullmatch(stripped):
        stripped = stripped.replace(",", "")
    if not _WRITTEN.fullmatch(stripped):
        return None
    if _DATE.fullmatch(stripped) or _DECIMAL.fullmatch(stripped) or _ADDRESS.fullmatch(stripped):
        return None
    digits = "".join(str(int(c)) for c in stripped if c.isdecimal())
    return DigitGroup(digits, index, index, plus=stripped.startswith("+"))


def _read_spoken(texts: Sequence[str], index: int, names: dict[str, str]) -> DigitGroup | None:
    parts = bare(texts[index]).split("-")
    values = [names.get(part) for part in parts]
    if len(parts) > 1 and all(values):
        return DigitGroup("".join(value or "" for value in values), index, index, spoken=True)
    digits, last = "", index
    if len(parts) == 2 and parts[0] in _TENS and values[1] not in (None, "0"):
        digits = f"{2 + _TENS.index(parts[0])}{values[1]}"
    elif len(parts) > 1:
        return None
    elif values[0] is not None:
        digits = values[0]
    elif parts[0] in _TEENS:
        digits = str(10 + _TEENS.index(parts[0]))
    elif parts[0] in _TENS:
        following = names.get(bare(texts[index + 1])) if index + 1 < len(texts) else None
        digits = str(2 + _TENS.index(parts[0]))
        if following not in (None, "0") and not texts[index].endswith((",", ".")):
            digits, last = digits + (following or ""), index + 1
        else:
            digits += "0"
    else:
        return None
    if last + 1 < len(texts) and (zeros := _ZEROS.get(bare(texts[last + 1]))):
        digits, last = digits + zeros, last + 1
    return DigitGroup(digits, index, last, spoken=True)
