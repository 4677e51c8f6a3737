"""Cross-meeting speaker recognition: match speakers with known voices by embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from server.storage import VoiceRow

# Speakers with less speech are not matched: their embeddings are too unreliable.
MIN_SPEECH_S = 8.0


class VoiceMatch(NamedTuple):
    """Speaker ``label`` is voice ``voice_id``, with this cosine similarity."""

    label: int
    voice_id: UUID
    similarity: float


def match_voices(
    vectors: Mapping[int, NDArray[np.float32]], known_voices: Sequence[VoiceRow], same_voice_similarity: float
) -> list[VoiceMatch]:
    """Match speakers with known voices greedily, most similar pair first, each at most once.

    Args:
        vectors: unit-length float32 embeddings by speaker label.
        known_voices: known voices, from the same model.
        same_voice_similarity: the model's cosine threshold for the same voice.
    """
    candidates = [
        VoiceMatch(label, voice.id, float(np.dot(vector, np.frombuffer(voice.vector, "<f4"))))
        for label, vector in vectors.items()
        for voice in known_voices
    ]
    matches: list[VoiceMatch] = []
    for candidate in sorted(candidates, key=lambda match: -match.similarity):
        already_matched = any(candidate.label == c.label or candidate.voice_id == c.voice_id for c in matches)
        if candidate.similarity >= same_voice_similarity and not already_matched:
            matches.append(candidate)
    return matches


def update_voice(voice: VoiceRow, vector: NDArray[np.float32]) -> VoiceRow:
    """Return the voice updated with one more meeting: the mean of its embeddings, rescaled to unit length."""
    mean = np.frombuffer(voice.vector, "<f4") * voice.meetings + vector
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return VoiceRow(voice.id, voice.name, mean.astype("<f4").tobytes(), voice.meetings + 1)
