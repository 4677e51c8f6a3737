"""Backends that read text: sentiment and emotions."""

from inference.text.emotions import ExampleEmotions
from inference.text.labels import emotions_of, polarities_of
from inference.text.sentiment import BlendedSentiment
from inference.text.words import word_count

__all__ = [
    "BlendedSentiment",
    "ExampleEmotions",
    "emotions_of",
    "polarities_of",
    "word_count",
]
