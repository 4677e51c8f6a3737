"""Sentiment of text: VADER's lexicon and rules, and similarity to written examples, in equal parts.

VADER (Hutto and Gilbert, ICWSM 2014) knows words, negation and emphasis, but takes polite conversational words for
feelings and misses plain statements; sentence embeddings miss negation. ``python -m benchmarks.text`` shows both alone
and together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from inference.models import TextEncoder
from inference.text.emotion_examples import EXAMPLES
from inference.text.example_classifier import ExampleClassifier
from inference.text.sentiment_examples import NEGATIVE, POSITIVE
from inference.text.words import WORD, word_count

# Conversational words that the lexicon scores for a sense they rarely have in speech: they answer, agree or fill, and
# express no feeling.
FILLERS = frozenset(
    """
        ok okay yeah yes yep yup no nope sure well like please right alright thanks hmm um uh kind kinda
        matter
    """.split()
)
# A mean of two scores is hardly ever exactly 0: smaller values count as neutral.
DEAD_ZONE = 0.15


class BlendedSentiment:
    """SentimentClassifier for English."""

    def __init__(self, encoder: TextEncoder) -> None:
        """Train on the written examples' embeddings by ``encoder``, which must embed the sentences too."""
        self._lexicon = SentimentIntensityAnalyzer()
        negative = [*NEGATIVE, *EXAMPLES["anger"], *EXAMPLES["disgust"], *EXAMPLES["fear"]]
        positive = [*POSITIVE, *EXAMPLES["happiness"]]
        self._classifier = ExampleClassifier(encoder, [negative, EXAMPLES["neutral"], positive])

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Implement SentimentClassifier."""
        probabilities = self._classifier(vectors)
        similarity = probabilities[:, 2] - probabilities[:, 0]
        lexicon = np.array([self.lexicon_polarity(sentence) for sentence in sentences])
        mixed = (similarity + lexicon) / 2
        polarity = np.sign(mixed) * np.maximum(0, np.abs(mixed) - DEAD_ZONE) / (1 - DEAD_ZONE)
        has_words = np.array([word_count(sentence) > 0 for sentence in sentences], np.bool_)
        return np.where(has_words, polarity, 0).astype(np.float32)

    def lexicon_polarity(self, sentence: str) -> float:
        """Return VADER's compound value without conversational fillers, -1..1."""
        kept = WORD.sub(lambda match: "" if match[0].lower() in FILLERS else match[0], sentence)
        # VADER takes capitals for emphasis; a transcript's capitals are not.
        value: float = self._lexicon.polarity_scores(" ".join(kept.lower().split()))["compound"]
        return value
