"""Extractive key points and summaries, per speaker and for the meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from server.conversation import Sentence, word_count
from server.insights.family import Family, MeetingFacts, SummaryTexts
from server.insights.text import Compared, centrality, comparable, diverse
from server.insights.transcript import MadeOfWords, transcript_of

DEFINITION_VERSION = "2"
MAX_KEY_POINTS = 5
SPEAKER_SUMMARY_SENTENCES = 2
MIN_SUMMARY_SENTENCES, MAX_SUMMARY_SENTENCES = 3, 8
MINUTES_PER_SUMMARY_SENTENCE = 4
# Limits of words: a point must be understandable alone, and a longer sentence makes several points.
MIN_WORDS, MAX_WORDS = 6, 40
SIMILARITY_COST = 0.4


class KeyPointsDocument(MadeOfWords):
    """Stored answer of ``GET /single-feature-api/meeting/key-points``."""

    speakers: list[list[Any]]
    """[speaker, [sentence, ...]] of each."""


class SummariesDocument(SummaryTexts, MadeOfWords):
    """Stored answer of ``GET /single-feature-api/meeting/text-summaries``."""


def _telling(lengths: Sequence[int], sentences: Sequence[Sentence]) -> list[int]:
    """Return the indices of statements of suitable length; if none, of sentences of at least half the minimum."""
    good = [
        place
        for place, (length, sentence) in enumerate(zip(lengths, sentences, strict=True))
        if MIN_WORDS <= length <= MAX_WORDS and not sentence.asks
    ]
    return good or [place for place, length in enumerate(lengths) if length >= MIN_WORDS // 2]


class Ranking(NamedTuple):
    """Sentences with a ranking of the central, mutually dissimilar ones."""

    sentences: list[Sentence]
    ranked: list[int]
    """Indices of sentences, best first: each prefix is the choice for a smaller number."""

    def best(self, most: int) -> list[Sentence]:
        """Return up to ``most`` sentences, in time order."""
        return [self.sentences[index] for index in sorted(self.ranked[:most])]

    def texts(self, most: int) -> list[str]:
        """Return the texts of up to ``most`` sentences, in time order."""
        return [sentence.text for sentence in self.best(most)]


def ranking(compared: Compared, most: int) -> Ranking:
    """Rank up to ``most`` sentences by LexRank times the square root of their word count, diversified by MMR."""
    lengths = [word_count(s.text, s.language) for s in compared.sentences]
    telling = _telling(lengths, compared.sentences)
    if not telling or most < 1:
        return Ranking(compared.sentences, [])
    vectors = compared.vectors[telling]
    worth = centrality(vectors, compared.min_similarity) * np.sqrt([lengths[place] for place in telling])
    return Ranking(compared.sentences, [telling[index] for index in diverse(vectors, worth, most, SIMILARITY_COST)])


def central_sentences(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """Return up to ``most`` central, mutually dissimilar sentences, in time order."""
    return ranking(comparable(sentences), most).best(most)


def _by_speaker(meeting: MeetingFacts) -> dict[int, Ranking]:
    said = meeting.conversation.sentences
    return {
        speaker: ranking(comparable([s for s in said if s.speaker == speaker]), MAX_KEY_POINTS)
        for speaker in meeting.conversation.speakers
    }


def key_points(meeting: MeetingFacts) -> list[list[Any]]:
    """Return up to five key points per speaker, as [speaker, [sentence, ...]]."""
    return [[speaker, own.texts(MAX_KEY_POINTS)] for speaker, own in meeting.once(_by_speaker).items()]


def summaries(meeting: MeetingFacts) -> SummaryTexts:
    """Return a language model's summaries of the meeting and present speakers where it wrote them, else extractive
    ones.
    """
    own = {speaker: found.texts(SPEAKER_SUMMARY_SENTENCES) for speaker, found in meeting.once(_by_speaker).items()}
    written = meeting.written
    if written is None or written["method"] != "abstractive":
        by_speaker = [[speaker, said] for speaker, said in own.items()]
        return {"speakers": by_speaker, "meeting": _meeting_summary(meeting), "method": "extractive"}
    by_model = dict(written["speakers"])
    return {
        "speakers": [[speaker, by_model.get(speaker) or said] for speaker, said in own.items()],
        "meeting": written["meeting"],
        "method": written["method"],
    }


def _meeting_summary(meeting: MeetingFacts) -> list[str]:
    wanted = round(meeting.conversation.duration_us / 60e6 / MINUTES_PER_SUMMARY_SENTENCE)
    most = min(MAX_SUMMARY_SENTENCES, max(MIN_SUMMARY_SENTENCES, wanted))
    return ranking(meeting.compared, most).texts(most)


def _key_points_document(meeting: MeetingFacts) -> KeyPointsDocument:
    return {"speakers": key_points(meeting), "reliability": transcript_of(meeting).reliability}


def _summaries_document(meeting: MeetingFacts) -> SummariesDocument:
    return {**summaries(meeting), "reliability": transcript_of(meeting).reliability}


KEY_POINTS = Family("key_points", DEFINITION_VERSION, _key_points_document)
SUMMARIES = Family("summaries", DEFINITION_VERSION, _summaries_document)
