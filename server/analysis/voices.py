"""The same voice in several meetings: which known voice each speaker is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.storage import VoiceRow

# A voice heard for less is not compared: its vector is mostly chance.
MIN_SPEECH_S = 8.0


class VoiceMatch(NamedTuple):
    """Speaker ``label`` is ``voice``."""

    label: int
    voice_id: UUID
    similarity: float


def matched(
    vectors: Mapping[int, NDArray[np.float32]], known: Sequence[VoiceRow], same_voice_similarity: float
) -> list[VoiceMatch]:
    """Which speakers (label -> unit vector) are known voices; the likest first, each voice and speaker once.

    ``same_voice_similarity``: cosine similarity from which two vectors are of one voice; it is the model's.
    """
    candidates = [
        VoiceMatch(label, voice.id, float(np.dot(vector, np.frombuffer(voice.vector, "<f4"))))
        for label, vector in vectors.items()
        for voice in known
    ]
    chosen: list[VoiceMatch] = []
    for candidate in sorted(candidates, key=lambda match: -match.similarity):
        taken = any(candidate.label == c.label or candidate.voice_id == c.voice_id for c in chosen)
        if candidate.similarity >= same_voice_similarity and not taken:
            chosen.append(candidate)
    return chosen


def heard_again(voice: VoiceRow, vector: NDArray[np.float32]) -> VoiceRow:
    """The voice after one more meeting: the mean of its vectors, unit length."""
    mean = np.frombuffer(voice.vector, "<f4") * voice.meetings + vector
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return VoiceRow(voice.id, voice.name, mean.astype("<f4").tobytes(), voice.meetings + 1)
