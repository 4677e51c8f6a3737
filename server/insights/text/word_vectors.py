"""Vectors of sentences from the words in them: of any language, without a model.

What LexRank (Erkan and Radev 2004) and TextTiling (Hearst 1997) were described with: words, weighted by how rare they
are in the meeting. Signed hashing finds their places (Weinberger et al. 2009), so that all vectors have one length.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from server.conversation import MARKS, TIGHT

DIMENSIONS = 1024
# Most endings come after so many letters: a word is told by them.
STEM_LETTERS = 6
_TOKEN = re.compile(f"[{TIGHT}]+|(?:(?![{TIGHT}])(?:[^\\W_]|[{MARKS}]))+")
_TIGHT = re.compile(f"[{TIGHT}]")


def word_vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """A vector for each text, (n, 1024), of unit length; zeros for one without words. It depends on all of them."""
    counted = [Counter(_terms(text)) for text in texts]
    texts_with = Counter(term for counts in counted for term in counts)
    vectors = np.zeros((len(texts), DIMENSIONS))
    places = {term: _place(term) for term in texts_with}
    for row, counts in zip(vectors, counted, strict=True):
        for term, count in counts.items():
            place, sign = places[term]
            row[place] += sign * (1 + math.log(count)) * math.log(1 + len(texts) / texts_with[term])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def _terms(text: str) -> list[str]:
    """Beginnings of words and, where words are not written apart, pairs of neighbouring characters."""
    terms = []
    for token in _TOKEN.findall(text.casefold()):
        if not _TIGHT.match(token):
            terms.append(token[:STEM_LETTERS])
        elif letters := [c for c in token if c.isalnum()]:
            terms += ["".join(pair) for pair in pairwise(letters)] or letters
    return terms


def _place(term: str) -> tuple[int, float]:
    """Where a term counts, and with which sign; the same on every machine."""
    value = int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")
    return value >> 1 & (DIMENSIONS - 1), 1.0 if value & 1 else -1.0
