"""Definition of a word in text."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?", re.UNICODE)


def word_count(text: str) -> int:
    """Count the words in ``text``; numbers in digits are not counted."""
    return len(WORD.findall(text))
