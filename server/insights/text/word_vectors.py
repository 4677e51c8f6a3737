"""Language-independent sentence embeddings from word counts, without a model.

As in the original LexRank (Erkan and Radev, 2004) and TextTiling (Hearst, 1997): words weighted by rarity in the
meeting. Signed feature hashing (Weinberger et al., 2009) gives all embeddings the same dimension.
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

from server.conversation import COMBINING_MARKS, UNSPACED_SCRIPTS

DIMENSIONS = 1024
# Words are identified by their first letters, since most endings come later.
STEM_LETTERS = 6
_TOKEN = re.compile(f"[{UNSPACED_SCRIPTS}]+|(?:(?![{UNSPACED_SCRIPTS}])(?:[^\\W_]|[{COMBINING_MARKS}]))+")
_TIGHT = re.compile(f"[{UNSPACED_SCRIPTS}]")


def word_vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return an embedding of each text, (n, 1024), of unit length; zeros without words. Weights depend on all texts."""
    term_counts = [Counter(_terms(text)) for text in texts]
    document_frequency = Counter(term for counts in term_counts for term in counts)
    vectors = np.zeros((len(texts), DIMENSIONS))
    positions = {term: _hash_term(term) for term in document_frequency}
    for row, counts in zip(vectors, term_counts, strict=True):
        for term, count in counts.items():
            position, sign = positions[term]
            row[position] += sign * (1 + math.log(count)) * math.log(1 + len(texts) / document_frequency[term])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def _terms(text: str) -> list[str]:
    """Return word prefixes and, in languages without spaces, character bigrams."""
    terms = []
    for token in _TOKEN.findall(text.casefold()):
        if not _TIGHT.match(token):
            terms.append(token[:STEM_LETTERS])
        elif letters := [c for c in token if c.isalnum()]:
            terms += ["".join(pair) for pair in pairwise(letters)] or letters
    return terms


def _hash_term(term: str) -> tuple[int, float]:
    """Return a term's index and sign; identical on all machines."""
    value = int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")
    return value >> 1 & (DIMENSIONS - 1), 1.0 if value & 1 else -1.0
