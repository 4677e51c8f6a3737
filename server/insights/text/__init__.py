"""Text processing of sentences: key phrases, comparable embeddings, centrality, and spoken names."""

from server.insights.text.key_phrases import Phrase, best_phrases, key_phrases
from server.insights.text.naming import named_speakers
from server.insights.text.vectors import ComparableSentences, centrality, comparable_sentences, select_diverse

__all__ = [
    "ComparableSentences",
    "Phrase",
    "best_phrases",
    "centrality",
    "comparable_sentences",
    "select_diverse",
    "key_phrases",
    "named_speakers",
]
