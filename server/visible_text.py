"""Names that people give: which can be read, which cannot, and how to show them.

A name is refused where nobody can see it, where it changes what stands around it, or where it hides something; what
a script needs is kept: joiners in emoji and in Persian or Indic words, letters that run from right to left, marks.
Sources: Unicode UAX 9 (directional formatting), UAX 15 (Stream-Safe Text Format), UTS 51 (flags made of tags).
"""

from __future__ import annotations

import re
import unicodedata

# A letter of a living script carries fewer; what carries more is piled up to cover the lines around it.
MAX_MARKS = 10
# Letters and symbols that are blank: Hangul fillers, Khmer inherent vowels, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_AROUND = re.compile(r"^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$")
_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Embeddings, overrides and isolates. The marks U+200E, U+200F and U+061C turn nothing around, and are kept.
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_NO_CHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
# Deprecated or meant for other protocols; tags are read in flags alone, behind a black flag.
_HIDDEN = re.compile(
    r"[\u206a-\u206f\ufff9-\ufffb\U0001d173-\U0001d17a]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0001-\U000e007f]"
)
_FLAWS = (
    (_CONTROL, "holds control characters; leave them out"),
    (_NO_CHARACTER, "holds code points that are no characters; leave them out"),
    (_TURNING, "holds characters that turn the text around them; leave them out"),
    (_HIDDEN, "holds characters that nobody can see; leave them out"),
)
_UNSAFE = re.compile("|".join(pattern.pattern for pattern, _ in _FLAWS))
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def trimmed(text: str) -> str:
    """The text without spaces, zero-width ones included, around it."""
    return _AROUND.sub("", text)


def flaw(text: str) -> str | None:
    """Why a name cannot be taken and how to mend it, as the end of a sentence; None for a good one."""
    for pattern, reason in _FLAWS:
        if pattern.search(text):
            return reason
    if text and not any(_is_visible(character) for character in text):
        return "holds nothing that can be seen; give it letters, digits or signs"
    if _longest_pile(text) > MAX_MARKS:
        return f"piles more than {MAX_MARKS} marks on one letter; leave them out"
    return None


def cleaned(text: str) -> str:
    """The text without what a name must not hold; empty where nothing is left to see."""
    kept = trimmed(_UNSAFE.sub("", text))
    return "" if flaw(kept) else kept


def readable(text: str, longest: int) -> str:
    """As much of a name as can be read: one line of at most so many characters, cleaned.

    For names that nobody can be asked to mend.
    """
    return cleaned(cleaned(_BREAKS.sub(" ", text))[:longest])


def shown(text: str) -> str:
    """The text for a terminal: what could act there is escaped, and what runs from right to left is isolated."""
    safe = _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in safe):
        return f"{FIRST_STRONG_ISOLATE}{safe}{POP_ISOLATE}"
    return safe


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    # Of private use, or assigned since: a font may show it.
    if category in ("Co", "Cn"):
        return True
    return category[0] not in "CZ" and category not in ("Mn", "Me") and character not in _BLANK


def _longest_pile(text: str) -> int:
    """Most marks, joiners and selectors in a row."""
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 0
        longest = max(longest, run)
    return longest
