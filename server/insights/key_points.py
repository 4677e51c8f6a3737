"""The sentences that matter most: of each speaker, and of the meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from server.conversation import Conversation, Sentence
from server.insights.vectors import centrality, diverse, vectors_of

DEFINITION_VERSION = "1"
MOST_KEY_POINTS = 5
SPEAKER_SUMMARY_SENTENCES = 2
LEAST_SUMMARY_SENTENCES, MOST_SUMMARY_SENTENCES = 3, 8
MINUTES_PER_SUMMARY_SENTENCE = 4
# A point needs words enough to be understood alone; longer than this it is many points.
LEAST_WORDS, MOST_WORDS = 6, 40
LIKENESS_COST = 0.4


def _telling(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Sentences that tell something: read by a model, long enough, no questions. Else whatever was read."""
    read = [s for s in sentences if s.vector]
    good = [s for s in read if LEAST_WORDS <= len(s.text.split()) <= MOST_WORDS and not s.asks]
    return good or [s for s in read if len(s.text.split()) >= LEAST_WORDS // 2]


def central_sentences(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """Up to ``most`` sentences that are central among all and unlike one another, in the order of time.

    LexRank times the square root of the number of words, chosen by MMR.
    """
    telling = _telling(sentences)
    if not telling or most < 1:
        return []
    vectors = vectors_of(telling)
    worth = centrality(vectors) * np.sqrt([len(s.text.split()) for s in telling])
    return [telling[index] for index in sorted(diverse(vectors, worth, most, LIKENESS_COST))]


def key_points(conversation: Conversation) -> list[list[Any]]:
    """Row 7: for each speaker up to five key points, as [speaker, [sentence, ...]]."""
    return [
        [speaker, [s.text for s in central_sentences(_of(conversation, speaker), MOST_KEY_POINTS)]]
        for speaker in conversation.speakers
    ]


def summaries(conversation: Conversation) -> dict[str, Any]:
    """Row 8, extractive: ``speakers`` as [speaker, [sentence, ...]], and ``meeting`` as [sentence, ...]."""
    minutes = conversation.duration_us / 60e6
    wanted = round(minutes / MINUTES_PER_SUMMARY_SENTENCE)
    most = min(MOST_SUMMARY_SENTENCES, max(LEAST_SUMMARY_SENTENCES, wanted))
    return {
        "speakers": [
            [speaker, [s.text for s in central_sentences(_of(conversation, speaker), SPEAKER_SUMMARY_SENTENCES)]]
            for speaker in conversation.speakers
        ],
        "meeting": [s.text for s in central_sentences(conversation.sentences, most)],
        "method": "extractive",
    }


def _of(conversation: Conversation, speaker: int) -> list[Sentence]:
    return [s for s in conversation.sentences if s.speaker == speaker]
