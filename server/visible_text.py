"""Validation and display of names given by people.

A name is refused if it is invisible, affects the text around it, or hides something. Characters that scripts need are
kept: joiners in emoji and in Persian or Indic words, right-to-left letters, marks. Sources: Unicode UAX 9 (directional
formatting), UAX 15 (Stream-Safe Text Format), UTS 51 (tag sequences in flags).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Letters of living scripts carry fewer marks; more are stacked to cover adjacent lines.
MAX_MARKS = 10
# Blank letters and symbols: Hangul fillers, Khmer inherent vowels, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_OUTER_SPACE = re.compile(r"^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$")
_LINE_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Embeddings, overrides and isolates. The marks U+200E, U+200F and U+061C reorder nothing and are kept.
_BIDI_CONTROLS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_NONCHARACTERS = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
# Deprecated or reserved for other protocols; tags are valid in flags only, after a black flag.
_INVISIBLE = re.compile(
    r"[\u206a-\u206f\ufff9-\ufffb\U0001d173-\U0001d17a]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0001-\U000e007f]"
)
_FLAWS = (
    (_CONTROL, "contains control characters; remove them"),
    (_NONCHARACTERS, "contains invalid code points; remove them"),
    (_BIDI_CONTROLS, "contains bidirectional control characters; remove them"),
    (_INVISIBLE, "contains invisible characters; remove them"),
)
_UNSAFE = re.compile("|".join(pattern.pattern for pattern, _ in _FLAWS))
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def trim(text: str) -> str:
    """Strip spaces, including zero-width ones."""
    return _OUTER_SPACE.sub("", text)


def find_flaw(text: str) -> str | None:
    """Return why a name is refused, as the end of a sentence with the fix; None for a valid name."""
    for pattern, reason in _FLAWS:
        if pattern.search(text):
            return reason
    if text and not any(_is_visible(character) for character in text):
        return "has no visible characters; use letters, digits or symbols"
    if _max_stacked_marks(text) > MAX_MARKS:
        return f"stacks more than {MAX_MARKS} marks on one letter; remove them"
    return None


def clean(text: str) -> str:
    """Remove what a name must not contain; empty if nothing visible remains."""
    cleaned = trim(_UNSAFE.sub("", text))
    return "" if find_flaw(cleaned) else cleaned


def to_readable(text: str, max_length: int) -> str:
    """Return the readable part of a name: cleaned, on one line, at most ``max_length`` characters.

    For names that nobody can be asked to correct.
    """
    return clean(clean(_LINE_BREAKS.sub(" ", text))[:max_length])


def replace_unsafe(text: str, replacement: Callable[[str], str], keep: str = "") -> str:
    """Return a text with each unsafe character replaced, apart from those in ``keep``."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else replacement(found[0]), text)


def escape_unsafe(text: str) -> str:
    """Escape the characters that act on a terminal or hide, and leave the direction of the text alone."""
    return replace_unsafe(text, lambda character: character.encode("unicode_escape", "surrogatepass").decode())


def escape_for_terminal(text: str) -> str:
    """Escape control characters and isolate right-to-left text, for display on a terminal."""
    safe = escape_unsafe(text)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in safe):
        return f"{FIRST_STRONG_ISOLATE}{safe}{POP_ISOLATE}"
    return safe


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    # Private-use or unassigned characters: a font may show them.
    if category in ("Co", "Cn"):
        return True
    return category[0] not in "CZ" and category not in ("Mn", "Me") and character not in _BLANK


def _max_stacked_marks(text: str) -> int:
    """Return the longest run of marks, joiners and selectors."""
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 0
        longest = max(longest, run)
    return longest
