"""English names of languages."""

from __future__ import annotations

from functools import lru_cache

from langcodes import Language

UNKNOWN = "Unknown language"


@lru_cache(maxsize=1024)
def language_display_name(language: str) -> str:
    """Return a BCP 47 tag with the language's English name, ``German (de)``; the tag alone if it has none."""
    try:
        name = Language.get(language).language_name("en")
    except (ValueError, LookupError):
        return language
    return language if name.startswith(UNKNOWN) else f"{name} ({language})"
