"""What a search asks for: words, phrases in quotes, and words to leave out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.errors import BadRequest
from server.search.tokens import Token, tokens

MAX_QUERY = 400
MAX_TERMS = 40
_PART = re.compile(r'(?P<out>(?<!\S)-(?=[^\s-]))?(?:["“”„](?P<phrase>[^"“”„]*)["“”„]|(?P<word>[^\s"“”„]+))')


class TermKind(StrEnum):
    """How the text of a term is looked for."""

    WORD = "word"
    PHRASE = "phrase"
    """All words, one after another."""
    PREFIX = "prefix"
    """A letter of a script without spaces: it begins a pair."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for."""

    kind: TermKind
    text: str
    """Words as they are indexed, separated by spaces."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query, taken apart."""

    terms: tuple[Term, ...]
    """A sentence has one of them at least, to be found by its words."""
    required: tuple[Term, ...]
    """A sentence has all of these: phrases in quotes."""
    excluded: tuple[Term, ...]
    """A sentence has none of these."""
    meaning: str
    """What is to be meant: the query without what is excluded, and without quotes."""


def parse_query(text: str) -> Query:
    """Take a query apart. Raises BadRequest naming ``query``."""
    if len(text) > MAX_QUERY:
        raise BadRequest("query", f"{len(text)} characters; must be 1 to {MAX_QUERY}")
    terms: list[Term] = []
    required: list[Term] = []
    excluded: list[Term] = []
    meaning: list[str] = []
    for part in _PART.finditer(text):
        phrase, out = part["phrase"], part["out"] is not None
        found = list(tokens(phrase if phrase is not None else part["word"]))
        if not found:
            continue
        whole = _phrase(found)
        if out:
            excluded.append(whole)
            continue
        meaning.append(phrase if phrase is not None else part["word"])
        if phrase is not None:
            required.append(whole)
            terms.append(whole)
        else:
            terms += [term for token in found for term in _words(token)]
    if not terms:
        raise BadRequest("query", "no word to search for; pass words, a question, or a phrase in quotes")
    if len(terms) + len(required) + len(excluded) > MAX_TERMS:
        raise BadRequest("query", f"more than {MAX_TERMS} words; shorten it")
    return Query(_distinct(terms), _distinct(required), _distinct(excluded), " ".join(meaning))


def _words(token: Token) -> list[Term]:
    if not token.paired:
        return [Term(TermKind.WORD, token.text)]
    if len(token.text) == 1:
        return [Term(TermKind.PREFIX, token.text)]
    return [Term(TermKind.WORD, pair) for pair in token.pairs]


def _phrase(found: list[Token]) -> Term:
    if len(found) == 1 and not (found[0].paired and len(found[0].text) > 2):
        return _words(found[0])[0]
    words: list[str] = []
    for place, token in enumerate(found):
        words += token.pairs if token.paired else [token.text]
        if token.paired and len(token.text) > 1 and place < len(found) - 1:
            # As the text is indexed: the last letter stands between this run and the next word.
            words.append(token.text[-1])
    return Term(TermKind.PHRASE, " ".join(words))


def _distinct(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(terms))
