"""Whether a track that is said to carry one person carries several: told only where two voices are clearly different.

The windows are embedded anyway; two means of them cost milliseconds, and are looked at ever less often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, normalise
from inference.models import EncoderProfile

# Speech that each of two voices must have, seconds.
MIN_VOICE_S = 20.0
# A window is clearly of one of two voices if its similarities to them differ by this much.
CLEAR_MARGIN = 0.2
# Windows that are looked at, taken evenly from all.
MAX_WINDOWS = 400
# After a look, the next one comes when there are this many times more windows.
GROWTH = 1.25
ROUNDS = 10


class SeveralVoices:
    """Look at the windows of a session now and then, until they are found to be of several voices."""

    def __init__(self, profile: EncoderProfile) -> None:
        self._profile = profile
        self._next = int(np.ceil(2 * MIN_VOICE_S / profile.hop_s))
        self.found = False

    def is_due(self, windows: int) -> bool:
        """Return whether to look, now that there are so many windows."""
        return not self.found and self._profile.different_voices_similarity is not None and windows >= self._next

    def look(self, vectors: Vectors) -> None:
        """Look at the embeddings of all windows so far, shape (n, d), unit length."""
        self._next = int(np.ceil(GROWTH * len(vectors)))
        self.found = hold_several_voices(vectors, self._profile)


def hold_several_voices(vectors: Vectors, profile: EncoderProfile) -> bool:
    """Return whether windows hold two clearly different voices, each with at least 20 s of speech. Deterministic.

    Args:
        vectors: embeddings of windows every ``profile.hop_s``, shape (n, d), unit length, n > 0.
        profile: the encoder's thresholds.
    """
    if profile.different_voices_similarity is None:
        return False
    step = -(-len(vectors) // MAX_WINDOWS)
    chosen = vectors[::step]
    if (of_second := _split(chosen)) is None:
        return False
    first, second = _means(chosen, of_second)
    margins = chosen @ second - chosen @ first
    clear = min(np.count_nonzero(margins > CLEAR_MARGIN), np.count_nonzero(margins < -CLEAR_MARGIN))
    is_enough = bool(clear * step * profile.hop_s >= MIN_VOICE_S)
    return is_enough and float(first @ second) < profile.different_voices_similarity


def _split(vectors: Vectors) -> NDArray[np.bool_] | None:
    """Split vectors in two by their means, from their first principal component on; None where they are one."""
    centred = vectors - vectors.mean(0)
    (direction, *_) = np.linalg.svd(centred, full_matrices=False)[2]
    of_second = centred @ direction > 0
    for _ in range(ROUNDS):
        if of_second.all() or not of_second.any():
            return None
        first, second = _means(vectors, of_second)
        before, of_second = of_second, vectors @ second > vectors @ first
        if (before == of_second).all():
            break
    return None if of_second.all() or not of_second.any() else of_second


def _means(vectors: Vectors, of_second: NDArray[np.bool_]) -> tuple[Vectors, Vectors]:
    first, second = normalise(np.stack([vectors[~of_second].mean(0), vectors[of_second].mean(0)]))
    return first, second
