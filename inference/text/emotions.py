"""Emotions from words, by similarity to written examples. No audio is used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.models import EMOTIONS, TextEncoder
from inference.text.emotion_examples import EXAMPLES
from inference.text.example_classifier import ExampleClassifier
from inference.text.words import word_count

# Classes of the classifier; ``not_sure`` is what remains.
CLASSES = EMOTIONS[:-1]
NOT_SURE = EMOTIONS.index("not_sure")
# Below this probability, the top class of five is not reported.
MIN_PROBABILITY = 0.34
# Shorter sentences say too little.
MIN_WORDS = 2


class ExampleEmotions:
    """EmotionClassifier trained on ``EXAMPLES``."""

    def __init__(self, encoder: TextEncoder) -> None:
        """Train on the examples' embeddings by ``encoder``, which must embed the sentences too."""
        self._classifier = ExampleClassifier(encoder, [EXAMPLES[name] for name in CLASSES])

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Implement EmotionClassifier. A sentence too short, or without a clear class, is ``not_sure``."""
        probabilities = self._classifier(vectors)
        answer = np.zeros((len(sentences), len(EMOTIONS)), np.float32)
        answer[:, :NOT_SURE] = probabilities
        short = np.array([word_count(sentence) < MIN_WORDS for sentence in sentences], np.bool_)
        unclear = short | (probabilities.max(axis=1, initial=0) < MIN_PROBABILITY)
        answer[unclear] = np.eye(len(EMOTIONS), dtype=np.float32)[NOT_SURE]
        return answer
