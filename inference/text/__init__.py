"""Backends that read words: sentiment and emotions."""

from inference.text.emotions import ExampleEmotions
from inference.text.sentiment import BlendedSentiment

__all__ = ["BlendedSentiment", "ExampleEmotions"]
