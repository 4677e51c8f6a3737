"""Emotions from words, by similarity to written examples. It never hears a voice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.models import EMOTIONS, TextEncoder
from inference.text.emotion_examples import EXAMPLES
from inference.text.example_classifier import ExampleClassifier
from inference.text.words import word_count

# Classes are told apart; ``not_sure`` is what remains.
CLASSES = EMOTIONS[:-1]
NOT_SURE = EMOTIONS.index("not_sure")
# Under this probability the top class of five is no answer.
MIN_PROBABILITY = 0.34
# A sentence of fewer words says too little.
MIN_WORDS = 2


class ExampleEmotions:
    """EmotionClassifier taught by ``EXAMPLES``."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._classifier = ExampleClassifier(encoder, [EXAMPLES[name] for name in CLASSES])

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See EmotionClassifier. A sentence too short, or without a clear class, is ``not_sure``."""
        probabilities = self._classifier(vectors)
        answer = np.zeros((len(sentences), len(EMOTIONS)), np.float32)
        answer[:, :NOT_SURE] = probabilities
        short = np.array([word_count(sentence) < MIN_WORDS for sentence in sentences], np.bool_)
        unclear = short | (probabilities.max(axis=1, initial=0) < MIN_PROBABILITY)
        answer[unclear] = np.eye(len(EMOTIONS), dtype=np.float32)[NOT_SURE]
        return answer
