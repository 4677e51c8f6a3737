"""Extractive key points and summaries, per speaker and for the meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from server.conversation import Sentence, count_words
from server.insights.family import Family, MeetingFacts, SummaryTexts
from server.insights.text import ComparableSentences, centrality, comparable_sentences, select_diverse
from server.insights.transcript import WordBasedDocument, meeting_transcript

DEFINITION_VERSION = "2"
MAX_KEY_POINTS = 5
SPEAKER_SUMMARY_SENTENCES = 2
MIN_SUMMARY_SENTENCES, MAX_SUMMARY_SENTENCES = 3, 8
MINUTES_PER_SUMMARY_SENTENCE = 4
# Limits of words: a point must be understandable alone, and a longer sentence makes several points.
MIN_WORDS, MAX_WORDS = 6, 40
SIMILARITY_COST = 0.4


class KeyPointsDocument(WordBasedDocument):
    """Stored answer of ``GET /single-feature-api/meeting/key-points``."""

    speakers: list[list[Any]]
    """[speaker, [sentence, ...]] of each."""


class SummariesDocument(SummaryTexts, WordBasedDocument):
    """Stored answer of ``GET /single-feature-api/meeting/text-summaries``."""


def _select_candidates(lengths: Sequence[int], sentences: Sequence[Sentence]) -> list[int]:
    """Return the indices of statements of suitable length; if none, of sentences of at least half the minimum."""
    suitable = [
        index
        for index, (length, sentence) in enumerate(zip(lengths, sentences, strict=True))
        if MIN_WORDS <= length <= MAX_WORDS and not sentence.asks
    ]
    return suitable or [index for index, length in enumerate(lengths) if length >= MIN_WORDS // 2]


class Ranking(NamedTuple):
    """Sentences with a ranking of the central, mutually dissimilar ones."""

    sentences: list[Sentence]
    ranked: list[int]
    """Indices of sentences, best first: each prefix is the choice for a smaller number."""

    def best(self, limit: int) -> list[Sentence]:
        """Return up to ``limit`` sentences, in time order."""
        return [self.sentences[index] for index in sorted(self.ranked[:limit])]

    def texts(self, limit: int) -> list[str]:
        """Return the texts of up to ``limit`` sentences, in time order."""
        return [sentence.text for sentence in self.best(limit)]


def ranking(compared: ComparableSentences, limit: int) -> Ranking:
    """Rank up to ``limit`` sentences by LexRank times the square root of their word count, diversified by MMR."""
    lengths = [count_words(s.text, s.language) for s in compared.sentences]
    candidates = _select_candidates(lengths, compared.sentences)
    if not candidates or limit < 1:
        return Ranking(compared.sentences, [])
    vectors = compared.vectors[candidates]
    value = centrality(vectors, compared.min_similarity) * np.sqrt([lengths[index] for index in candidates])
    return Ranking(
        compared.sentences, [candidates[index] for index in select_diverse(vectors, value, limit, SIMILARITY_COST)]
    )


def central_sentences(sentences: Sequence[Sentence], limit: int) -> list[Sentence]:
    """Return up to ``limit`` central, mutually dissimilar sentences, in time order."""
    return ranking(comparable_sentences(sentences), limit).best(limit)


def _rank_speakers(meeting: MeetingFacts) -> dict[int, Ranking]:
    sentences = meeting.conversation.spoken_sentences
    return {
        speaker: ranking(comparable_sentences([s for s in sentences if s.speaker == speaker]), MAX_KEY_POINTS)
        for speaker in meeting.conversation.speakers
    }


def key_points(meeting: MeetingFacts) -> list[list[Any]]:
    """Return up to five key points per speaker, as [speaker, [sentence, ...]]."""
    return [[speaker, ranked.texts(MAX_KEY_POINTS)] for speaker, ranked in meeting.cached(_rank_speakers).items()]


def summaries(meeting: MeetingFacts) -> SummaryTexts:
    """Return a language model's summaries of the meeting and present speakers where it wrote them, else extractive
    ones.
    """
    extracted = {
        speaker: ranked.texts(SPEAKER_SUMMARY_SENTENCES) for speaker, ranked in meeting.cached(_rank_speakers).items()
    }
    written = meeting.summaries
    if written is None or written["method"] != "abstractive":
        speakers = [[speaker, texts] for speaker, texts in extracted.items()]
        texts = [sentence.text for sentence in summary_sentences(meeting)]
        return {"speakers": speakers, "meeting": texts, "method": "extractive"}
    model_texts = dict(written["speakers"])
    return {
        "speakers": [[speaker, model_texts.get(speaker) or texts] for speaker, texts in extracted.items()],
        "meeting": written["meeting"],
        "method": written["method"],
    }


def summary_sentences(meeting: MeetingFacts) -> list[Sentence]:
    """Return the three to eight sentences that summarise the meeting, in time order."""
    wanted = round(meeting.conversation.duration_us / 60e6 / MINUTES_PER_SUMMARY_SENTENCE)
    limit = min(MAX_SUMMARY_SENTENCES, max(MIN_SUMMARY_SENTENCES, wanted))
    return ranking(meeting.comparable_sentences, limit).best(limit)


def _key_points_document(meeting: MeetingFacts) -> KeyPointsDocument:
    return {"speakers": key_points(meeting), "reliability": meeting_transcript(meeting).reliability}


def _summaries_document(meeting: MeetingFacts) -> SummariesDocument:
    return {**summaries(meeting), "reliability": meeting_transcript(meeting).reliability}


KEY_POINTS = Family("key_points", DEFINITION_VERSION, _key_points_document)
SUMMARIES = Family("summaries", DEFINITION_VERSION, _summaries_document)
