"""Names of the people of a meeting, as they are said in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from server.conversation import AMBIGUOUS_NAMES, given_names
from server.redaction.spoken_numbers import bare

MIN_LETTERS = 3
# Surnames that are ordinary words as well: they count as names with a capital inside of a sentence.
AMBIGUOUS_SURNAMES = frozenset(
    """
        abbot adams archer ash baker ball banks barber bell bench berry best bird bishop black blue bond book boss
        bowl bridge bright brook brooks brown bull burns bush butcher butler carpenter case castle chambers church
        clay close coach cole collier cook cooper court cox cross curry dance dawn day days dean dear drake english
        farmer field fields finch fish fisher flag flowers flood ford forest fox foot france free french frost
        gates glass gold golden good grant gray green grey gross hall hand hands hardy hart heart heath high hill
        hills holland holly hood hook hope house hunt hunter jewel judge keen key keys king kings knight lake lamb
        land lane lang lawyer law little long love low major man mann march marsh mason masters may mercer miles
        mill miller mills mind moon moor moore north noble page paige paint palmer park parks parson pepper person
        pierce pike piper pitt place plain plant pool poole pope porter post potter pound powers price prince
        proctor quick rain read reed rich ring rivers road rock rogue root rose rush sage saint sales salt sand
        sands savage sharp sharpe shepherd short silver singer skinner small smart snow south spark sparks speaker
        spring stack stair star steel stone storm stout street strong summers sun swan sweet swift table tanner
        taylor temple thorn tower towers town trainer tree turner underwood waters wall walker ward way weaver webb
        weeks well wells west wheat wheeler white wild winter wise wolf wood woods wright yard york young
    """.split()
)
# After a word at the beginning of a sentence, these make it its subject.
_VERBS = frozenset(
    """
        is was has had said says gave gives asked asks thinks thought wrote joined works worked sent wants wanted told
        knows knew went came made did does can could would should just already
    """.split()
)
TITLES = frozenset("mr mrs ms miss dr prof professor sir madam herr frau sr jr the von van der den del della".split())
_POSSESSIVE = re.compile(r"(?:'s|s')$")
_PART = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*", re.UNICODE)
_INTRODUCTIONS = (["my", "name", "is"], ["my", "name's"], ["they", "call", "me"], ["you", "can", "call", "me"])
# Labels, not names.
_GENERIC_ALIAS = re.compile(r"(?:speaker|participant|guest|user|unknown|sprecher|front desk|channel)\b", re.IGNORECASE)


def fold_name(text: str) -> str:
    """Return a name in lower case without diacritics: ``Müller`` and ``muller`` are one."""
    folded = text.casefold().replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))


def name_parts(names: Iterable[str]) -> frozenset[str]:
    """Return the parts of full names by which people are called, folded; short parts and titles are left out."""
    parts: set[str] = set()
    for name in names:
        if _GENERIC_ALIAS.match(name.strip()):
            continue
        found = [fold_name(part) for part in _PART.findall(name.replace("’", "'"))]
        parts.update(part for part in found if len(part) >= MIN_LETTERS and part not in TITLES)
        # Names in scripts without capitals and spaces are short.
        parts.update(part for part in found if len(part) == MIN_LETTERS - 1 and not part.isascii())
    return frozenset(parts)


class NameFinder:
    """Find names in the words of a speaker."""

    def __init__(self, names: Iterable[str], *, any_given_name: bool = False) -> None:
        """
        Args:
            names: full or given names of the meeting's people.
            any_given_name: whether every common given name counts, where it is not known yet who takes part.
        """
        parts = name_parts(names)
        ambiguous = {fold_name(name) for name in AMBIGUOUS_NAMES} | AMBIGUOUS_SURNAMES
        self._clear, self._ambiguous = parts - ambiguous, parts & ambiguous
        self._any_given_name = any_given_name

    def find(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """Return the words (first, last inclusive) that name somebody; adjacent ones are one span."""
        has_capitals = any(text[:1].isupper() and text[:1].isalpha() and text != "I" for text in texts)
        spans: list[tuple[int, int]] = []
        for index in range(len(texts)):
            if not self._is_name(texts, index, has_capitals=has_capitals):
                continue
            if spans and spans[-1][1] == index - 1 and not texts[index - 1].endswith((".", ",", "?", "!", ";", ":")):
                spans[-1] = (spans[-1][0], index)
            else:
                spans.append((index, index))
        return spans

    def _is_name(self, texts: Sequence[str], index: int, *, has_capitals: bool) -> bool:
        word = _POSSESSIVE.sub("", bare(texts[index]))
        parts = [fold_name(part) for part in re.split(r"[-\u2010-\u2015/]", word) if part]
        known = {*parts, fold_name(word)}
        # The genitive of German and its neighbours.
        if has_capitals and len(word) > MIN_LETTERS and texts[index][:1].isupper() and word.endswith("s"):
            known.add(fold_name(word[:-1]))
        if known & self._clear:
            return True
        if self._any_given_name and known & _folded_given_names():
            return True
        if known & self._ambiguous:
            return self._names_somebody(texts, index, has_capitals=has_capitals)
        return self._any_given_name and word in AMBIGUOUS_NAMES and _is_introduced(texts, index)

    def _names_somebody(self, texts: Sequence[str], index: int, *, has_capitals: bool) -> bool:
        """Return whether a word that is ordinary as well stands for a person here."""
        if _is_introduced(texts, index) or bare(texts[index]).endswith("'s"):
            return True
        before = texts[index - 1] if index else ""
        if bare(before) in TITLES | {"thanks"}:
            return True
        if not has_capitals or not texts[index].lstrip("\"'“(")[:1].isupper():
            return False
        begins = not before or before.endswith((".", "?", "!"))
        following = bare(texts[index + 1]) if index + 1 < len(texts) else ""
        return not begins or texts[index].endswith((",", "?", "!")) or following in _VERBS


def _is_introduced(texts: Sequence[str], index: int) -> bool:
    return any(
        [bare(word) for word in texts[max(0, index - len(phrase)) : index]] == phrase for phrase in _INTRODUCTIONS
    )


@cache
def _folded_given_names() -> frozenset[str]:
    return frozenset(fold_name(name) for name in given_names())
