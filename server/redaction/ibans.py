"""International bank account numbers (ISO 13616): the structure of each country and the check digits, modulo 97."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stdnum import iban

from server.redaction.context import IBAN_WORDS, Context, Label
from server.redaction.spoken_numbers import FILLERS, MAX_FILLERS, DigitGroup, bare

MIN_LENGTH, MAX_LENGTH = 15, 34
# An account that is called an IBAN is one, although a character was misheard, from this length on.
MIN_MISHEARD = 12
# After "the IBAN is", so many digits are one, whatever became of the country.
MIN_LABELLED_DIGITS = 6
# Spelling alphabet of NATO; recognisers write some words without the odd letter.
_ALPHABET = {
    word: word[0].upper()
    for word in """
        alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa
        quebec romeo sierra tango uniform victor whiskey whisky x-ray xray yankee zulu
    """.split()
}
_LETTERS = re.compile(r"[A-Za-z](?:[.\-]?[A-Za-z]){0,3}\.?")
_MIXED = re.compile(r"[A-Za-z0-9]+(?:[\-.][A-Za-z0-9]+)*")
_COUNTRY = re.compile(r"[A-Z]{2}\d{2}")


def find_iban(
    texts: Sequence[str], first: int, groups: Mapping[int, DigitGroup], context: Context
) -> tuple[int, int] | None:
    """Return the words (first, last inclusive) of an account that begins with word ``first``, or None.

    Args:
        texts: the words as recognised.
        groups: groups of digits by their first word.
    """
    collected, index, fillers, last_valid = "", first, 0, None
    end, labelled = first, context.label(first) is Label.IBAN and _is_spelled(texts[first])
    while index < len(texts) and len(collected) < MAX_LENGTH:
        part, following = _read_part(texts, index, groups)
        if part is None:
            fillers += 1
            if not collected or fillers > MAX_FILLERS or bare(texts[index]) not in FILLERS:
                break
            index = following
            continue
        collected, fillers, index, end = collected + part, 0, following, following - 1
        if not labelled and not _may_begin(collected):
            return None
        if len(collected) >= MIN_LENGTH and iban.is_valid(collected, check_country=False):
            last_valid = end
    if last_valid is not None:
        return first, last_valid
    is_misheard = (
        len(collected) >= MIN_MISHEARD
        and bool(_COUNTRY.match(collected))
        and _is_spelled(texts[first])
        and context.spoke_of(IBAN_WORDS, first)
    )
    has_digits = labelled and sum(character.isdecimal() for character in collected) >= MIN_LABELLED_DIGITS
    return (first, end) if is_misheard or has_digits else None


def _is_spelled(text: str) -> bool:
    """Return whether a word is written as letters of an account: a single one, capitals, or with digits."""
    plain = bare(text)
    return len(plain) == 1 or plain in _ALPHABET or plain.upper() in text or any(map(str.isdecimal, plain))


def _may_begin(collected: str) -> bool:
    pattern = (str.isalpha, str.isalpha, str.isdigit, str.isdigit)
    return all(test(character) for test, character in zip(pattern, collected, strict=False))


def _read_part(texts: Sequence[str], index: int, groups: Mapping[int, DigitGroup]) -> tuple[str | None, int]:
    """Return the characters that a word adds to an account, None if it adds none, and the index of the next word."""
    group = groups.get(index)
    if group is not None and not group.plus:
        return group.digits, group.last + 1
    text = bare(texts[index])
    if letter := _ALPHABET.get(text):
        return letter, index + 1
    # "D as in delta", "D for delta", "D wie Dora".
    if _LETTERS.fullmatch(text) and (len(text) <= 2 or _is_spelled(texts[index]) or "." in text or "-" in text):
        skipped = index + 1
        if [bare(word) for word in texts[index + 1 : index + 3]] == ["as", "in"]:
            skipped = index + 4
        elif index + 2 < len(texts) and bare(texts[index + 1]) in ("for", "like", "wie", "comme", "como"):
            skipped = index + 3
        return re.sub(r"[.\-]", "", text).upper(), skipped
    if _MIXED.fullmatch(text) and any(character.isdigit() for character in text) and text.isascii():
        return re.sub(r"[.\-]", "", text).upper(), index + 1
    return None, index + 1
