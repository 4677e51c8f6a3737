"""Matching a given language with a recogniser's languages."""

from __future__ import annotations

from collections.abc import Sequence

from langcodes import Language

# Distance by the language matching of Unicode CLDR: two names of one language are 0 apart, Bokmål and Norwegian 1,
# Swiss German and German 8, a dialect and the standard of its macrolanguage up to 14. From 20 on, it means only that
# speakers of one have often learnt the other, which does not help a recogniser.
MAX_DISTANCE = 14


def recogniser_language(given: str, known: Sequence[str]) -> str | None:
    """Return the closest of a recogniser's languages; None where none is close.

    Args:
        given: BCP 47 tag, not empty; script and region are ignored.
        known: the recogniser's languages, BCP 47 primary tags.
    """
    try:
        spoken = Language.get(given).language
    except (ValueError, LookupError):
        return None
    if spoken is None or not known:
        return None
    wanted = Language.make(language=spoken)
    distances = {tag: wanted.distance(Language.get(tag), ignore_script=True) for tag in known}
    nearest = min(known, key=distances.__getitem__)
    return nearest if distances[nearest] <= MAX_DISTANCE else None
