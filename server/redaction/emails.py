"""E-mail addresses, written ("ann@example.com") or spoken ("ann dot lee at example dot com")."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from server.conversation import given_names
from server.redaction.context import EMAIL_WORDS, Context, Label
from server.redaction.spoken_numbers import bare, find_digit_groups

_WRITTEN = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\W\d_]{2,}", re.UNICODE)
AT_SIGNS = frozenset(["at", "@", "arroba", "arobase", "chiocciola", "ät", "et", "apenstaartje", "klammeraffe", "małpa"])
_SURE_AT = AT_SIGNS - {"at", "et"}
# "Point" and others are ordinary words elsewhere.
_DOTS = {"de": "punkt", "fr": "point", "es": "punto", "it": "punto", "pt": "ponto", "nl": "punt", "pl": "kropka"}
ADDRESS_JOINERS = frozenset(
    """
        dot punkt point punto ponto punt kropka period underscore dash hyphen minus plus unterstrich bindestrich tiret
        guion guión bajo trattino traço hífen
    """.split()
)
_COUNTRIES = frozenset(region.lower() for region in phonenumbers.SUPPORTED_REGIONS) | {"uk", "eu"}
_TOP_LEVEL = (
    frozenset(
        """
            com org net edu gov mil int info biz io ai app dev co me tv cloud online shop store site tech xyz pro name
            museum email agency company group network solutions systems digital media design studio academy school
            bank law legal health care clinic consulting energy engineering finance global international live news
            page software space team work world works zone test example local
        """.split()
    )
    | _COUNTRIES
)
# Before "at" these say where something is: "look at example.com".
_NOT_LOCAL = frozenset(
    """
        look looks looked looking find found me us you him her them it this that is are was were be been am i we they
        he she available here there online offline up out or and work works worked working hosted start started
        shop buy book login website site page team people someone everyone anyone arrive meet meeting now later
        documentation docs details more information back over down in on stay live lives lived arrived good bad best
        not today tomorrow directly open everything something nothing right just even still only all one two both
        sign register read more order sell sells sold selling bought buying ordered advertise visit stand stop try
        product products job jobs store located based
    """.split()
)
MAX_DOMAIN_WORDS, MAX_LABELS, MAX_LOCAL_WORDS = 3, 5, 24


def find_email(texts: Sequence[str], index: int, context: Context, language: str = "") -> tuple[int, int] | None:
    """Return the words (first, last inclusive) of an address whose at sign is in word ``index``, or None."""
    dots = frozenset(["dot", "period", _DOTS.get(language, "dot")])
    text = texts[index].strip("\"'“”‘’<>()[],;:!?")
    if "@" in text and text != "@":
        return _find_written(texts, index, text, dots)
    if bare(texts[index]) not in AT_SIGNS and text != "@":
        # "My e-mail is ann.lee.example.com": recognisers hear the "at" as a dot.
        return (index, index) if _is_dotted(text) and context.label(index) is Label.EMAIL else None
    last = _domain_end(texts, index + 1, dots)
    if last is None:
        return None
    first = _local_start(texts, index - 1)
    if first is None:
        return None
    sure = text == "@" or bare(texts[index]) in _SURE_AT
    single = first == index - 1
    if single and not sure and bare(texts[first]) in _NOT_LOCAL:
        return None
    if single and not sure and not texts[first][:1].isalnum():
        return None
    if context.speaks_of(EMAIL_WORDS, first, last) or not single or sure or bare(texts[first]) not in _NOT_LOCAL:
        return _with_given_name(texts, first), last
    return None


def _is_dotted(text: str) -> bool:
    labels = text.rstrip(".").lower().split(".")
    return 1 < len(labels) <= MAX_LABELS + 2 and all(labels) and labels[0] != "www" and labels[-1] in _TOP_LEVEL


def _find_written(texts: Sequence[str], index: int, text: str, dots: frozenset[str]) -> tuple[int, int] | None:
    first = last = index
    if text.startswith("@"):
        # "ann.lee @example.com"
        start = _local_start(texts, index - 1)
        if start is None:
            return None
        first = start
    if not _WRITTEN.search(f"x{text}" if text.startswith("@") else text):
        # "ann@example dot com", or the domain follows as the next word.
        has_domain = not text.endswith("@")
        end = _domain_rest(texts, index + 1, dots) if has_domain else _domain_end(texts, index + 1, dots)
        if end is None:
            return None
        last = end
    else:
        last = _more_labels(texts, last)
    if first == index:
        first = _joined_before(texts, index)
    return first, last


def _domain_end(texts: Sequence[str], start: int, dots: frozenset[str]) -> int | None:
    """Return the last word of a domain that begins with word ``start``; None if there is none."""
    for offset in range(MAX_DOMAIN_WORDS):
        index = start + offset
        if index >= len(texts):
            return None
        word = bare(texts[index])
        if re.fullmatch(r"[^\W_][\w\-]*(?:\.[\w\-]+)+", word):
            labels = word.split(".")
            if labels[-1] in _TOP_LEVEL:
                return _more_labels(texts, index)
        if not re.fullmatch(r"[\w\-]+(?:\.[\w\-]+)*\.?", word) or texts[index].endswith(("?", "!", ",", ".")):
            return None
        if index + 1 < len(texts) and bare(texts[index + 1]) in dots:
            return _domain_rest(texts, index + 1, dots)
    return None


def _domain_rest(texts: Sequence[str], index: int, dots: frozenset[str]) -> int | None:
    """Return the last word of "dot example dot com" from its first dot; None without a known top-level domain."""
    end = None
    for _ in range(MAX_LABELS):
        if index + 1 >= len(texts) or bare(texts[index]) not in dots:
            break
        label = bare(texts[index + 1])
        if label.rsplit(".", 1)[-1] in _TOP_LEVEL:
            end = index + 1
        # Domains are spelled letter by letter too: "dot c o m".
        spelled, stop = "", index + 1
        while stop < len(texts) and len(bare(texts[stop])) == 1 and bare(texts[stop]).isalpha() and len(spelled) < 4:
            spelled += bare(texts[stop])
            stop += 1
            if spelled in _TOP_LEVEL and len(spelled) > 1:
                end = stop - 1
        index = max(index + 2, stop)
    return end


def _more_labels(texts: Sequence[str], last: int) -> int:
    """Return the last word of a domain that may go on after word ``last``: "example.co dot uk"."""
    if last + 2 < len(texts) and bare(texts[last + 1]) == "dot" and bare(texts[last + 2]) in _TOP_LEVEL:
        return last + 2
    return last


def _local_start(texts: Sequence[str], index: int) -> int | None:
    """Return the first word of a local part that ends with word ``index``; None if there is no such part."""
    if index < 0 or not re.fullmatch(r"[\w.+\-']+", bare(texts[index])) or texts[index].endswith((",", "?", "!")):
        return None
    return _joined_before(texts, index)


def _joined_before(texts: Sequence[str], first: int) -> int:
    """Return the first word of what is joined to word ``first``: "ann dot lee", "a n n", "ann 4 2"."""
    start = first
    while start > 0 and first - start < MAX_LOCAL_WORDS:
        previous = bare(texts[start - 1])
        if previous in ADDRESS_JOINERS and start >= 2:
            start -= 2
        elif _joins(previous, bare(texts[start])):
            start -= 1
        else:
            break
    return start


def _joins(previous: str, word: str) -> bool:
    """Return whether two words of a local part follow each other without a joiner: letters, and digits after a word."""
    if _is_spelled(word):
        return _is_spelled(previous) or previous.isdecimal()
    is_number = word.isdecimal() or bool(find_digit_groups([word], ""))
    return is_number and previous not in _NOT_LOCAL and bool(re.fullmatch(r"[^\W_]+", previous))


def _is_spelled(word: str) -> bool:
    return (len(word) == 1 and word.isalpha()) or bool(re.fullmatch(r"[^\W\d_](?:[.\-][^\W\d_])+\.?", word))


def _with_given_name(texts: Sequence[str], first: int) -> int:
    """Return the first word with a given name before it: who says "ann lee at example dot com" means one address."""
    if first > 0 and bare(texts[first - 1]) in given_names() and not texts[first - 1].endswith((".", ",", "?", "!")):
        return first - 1
    return first
