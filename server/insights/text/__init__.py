"""Text processing of sentences: key phrases, comparable embeddings, centrality, spoken names, and agreements."""

from server.insights.text.agreements import Agreement, find_action_items, find_decisions
from server.insights.text.key_phrases import Phrase, extract_key_phrases, select_phrases
from server.insights.text.naming import find_speaker_names, mentioned_names
from server.insights.text.vectors import ComparableSentences, centrality, comparable_sentences, select_diverse

__all__ = [
    "Agreement",
    "find_action_items",
    "find_decisions",
    "ComparableSentences",
    "Phrase",
    "select_phrases",
    "centrality",
    "comparable_sentences",
    "select_diverse",
    "extract_key_phrases",
    "find_speaker_names",
    "mentioned_names",
]
