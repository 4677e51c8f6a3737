"""Backends that read text: sentiment and emotions."""

from inference.text.emotions import ExampleEmotions
from inference.text.labels import map_emotions, map_polarities
from inference.text.sentiment import BlendedSentiment
from inference.text.words import word_count

__all__ = [
    "BlendedSentiment",
    "ExampleEmotions",
    "map_emotions",
    "map_polarities",
    "word_count",
]
