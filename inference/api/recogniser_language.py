"""Which of a recogniser's languages hears a language that was given."""

from __future__ import annotations

from collections.abc import Sequence

from langcodes import Language

# By the language matching of Unicode CLDR: two names of one language are 0 apart, Bokmål and Norwegian 1, what is
# spoken in Zurich and German 8, a dialect and the standard of its macrolanguage up to 14. From 20 on it is only that
# those who speak the one have often learnt the other, which is no help in hearing it.
FARTHEST = 14


def recogniser_language(given: str, known: Sequence[str]) -> str | None:
    """The closest of a recogniser's languages; None where none is close.

    Args:
        given: BCP 47, not empty. How it is written, and where it is spoken, does not matter.
        known: BCP 47 primary tags, as the recogniser names them.
    """
    try:
        spoken = Language.get(given).language
    except (ValueError, LookupError):
        return None
    if spoken is None or not known:
        return None
    heard = Language.make(language=spoken)
    apart = {tag: heard.distance(Language.get(tag), ignore_script=True) for tag in known}
    nearest = min(known, key=apart.__getitem__)
    return nearest if apart[nearest] <= FARTHEST else None
