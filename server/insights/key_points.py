"""The sentences that matter most: of each speaker, and of the meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from server.conversation import Conversation, Sentence, word_count
from server.insights.vectors import centrality, comparable, diverse

DEFINITION_VERSION = "2"
MAX_KEY_POINTS = 5
SPEAKER_SUMMARY_SENTENCES = 2
MIN_SUMMARY_SENTENCES, MAX_SUMMARY_SENTENCES = 3, 8
MINUTES_PER_SUMMARY_SENTENCE = 4
# A point needs words enough to be understood alone; longer than this it is many points.
MIN_WORDS, MAX_WORDS = 6, 40
SIMILARITY_COST = 0.4


def _telling(lengths: Sequence[int], sentences: Sequence[Sentence]) -> list[int]:
    """Places of the sentences that tell something: long enough, no questions. Else whatever is half as long."""
    good = [
        place
        for place, (length, sentence) in enumerate(zip(lengths, sentences, strict=True))
        if MIN_WORDS <= length <= MAX_WORDS and not sentence.asks
    ]
    return good or [place for place, length in enumerate(lengths) if length >= MIN_WORDS // 2]


def central_sentences(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """Up to ``most`` sentences that are central among all and unlike one another, in the order of time.

    LexRank times the square root of the number of words, chosen by MMR.
    """
    compared = comparable(sentences)
    lengths = [word_count(s.text, s.language) for s in compared.sentences]
    telling = _telling(lengths, compared.sentences)
    if not telling or most < 1:
        return []
    vectors = compared.vectors[telling]
    worth = centrality(vectors, compared.min_similarity) * np.sqrt([lengths[place] for place in telling])
    chosen = diverse(vectors, worth, most, SIMILARITY_COST)
    return [compared.sentences[telling[index]] for index in sorted(chosen)]


def key_points(conversation: Conversation) -> list[list[Any]]:
    """Row 7: for each speaker up to five key points, as [speaker, [sentence, ...]]."""
    return [
        [speaker, [s.text for s in central_sentences(_of(conversation, speaker), MAX_KEY_POINTS)]]
        for speaker in conversation.speakers
    ]


def summaries(conversation: Conversation) -> dict[str, Any]:
    """Row 8, extractive: ``speakers`` as [speaker, [sentence, ...]], and ``meeting`` as [sentence, ...]."""
    minutes = conversation.duration_us / 60e6
    wanted = round(minutes / MINUTES_PER_SUMMARY_SENTENCE)
    most = min(MAX_SUMMARY_SENTENCES, max(MIN_SUMMARY_SENTENCES, wanted))
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
