"""What counts as a word in text."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?", re.UNICODE)


def word_count(text: str) -> int:
    """Words in ``text``; numbers in digits are not counted."""
    return len(WORD.findall(text))
