"""The stated language of a recording, normalised to a BCP 47 tag."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache
from typing import Any

import langcodes
from langcodes import Language
from language_data.names import get_trie_value, load_trie, normalize_name
from language_data.util import data_filename

from server.errors import BadRequest

FIELD = "language"
MAX_CHARACTERS = 64
FIX = (
    "must be one language: a BCP 47 tag (en, pt-BR), an ISO 639 code (deu) or a name (German); use auto, or omit it, to"
    " have it detected"
)
# ISO 639 codes for an undetermined language and for multiple languages.
_DETECTED = frozenset({"", "auto", "und", "mul"})
# Codes of languages, excluding zxx (no language), mis (uncoded) and the private-use range.
_PRIMARY = re.compile(r"(?!zxx|mis|q[a-t][a-z])[a-z]{2,3}(-|$)")
# Characters between the letters of names: "Norwegian Bokmål", "Serbo-Croatian", "N'Ko", "English (US)".
_IN_NAMES = frozenset(" -'’()")
MIN_NAME = 2


def parse_language(text: str) -> str:
    """Return the canonical BCP 47 tag (``en-GB``) of a stated language; empty if it is to be detected.

    Args:
        text: a BCP 47 tag, an ISO 639 code or a language name; empty or ``auto`` to have it detected.

    Raises:
        BadRequest: naming ``language``, for anything that is not exactly one language.
    """
    stated = text.strip()
    if len(stated) > MAX_CHARACTERS:
        raise BadRequest(FIELD, FIX)
    tag = "" if stated.lower() in _DETECTED else _find_tag(stated)
    return "" if tag.split("-")[0] in _DETECTED else tag


def _find_tag(stated: str) -> str:
    # Tags first: a code is more common than a language of that name.
    tag = _from_tag(stated) or _from_name(stated)
    if not _PRIMARY.match(tag):
        raise BadRequest(FIELD, FIX)
    return tag


def _from_tag(stated: str) -> str:
    with suppress(LookupError, ValueError):
        tag = langcodes.standardize_tag(stated)
        if Language.get(tag).is_valid():
            return tag
    return ""


def _from_name(stated: str) -> str:
    if _is_name(stated) and (named := normalize_name(stated)) in _name_trie():
        return langcodes.standardize_tag(get_trie_value(_name_trie(), named))
    return ""


@cache
def _name_trie() -> Any:
    """Load the language names in all languages; ``langcodes.find`` would take "English and German" for English."""
    return load_trie(data_filename("trie/und/name_to_language.marisa"))


def _is_name(text: str) -> bool:
    """Return whether the text has only letters of any script, combining marks and separators of names."""
    if len(text) < MIN_NAME or not text[0].isalpha() or text[-1] in _IN_NAMES - {")"}:
        return False
    return all(unicodedata.category(c)[0] in "LM" or c in _IN_NAMES for c in text)
