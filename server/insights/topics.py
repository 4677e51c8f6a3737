"""Topic segmentation and naming.

Topics are split where the content before and after differs most: TextTiling (Hearst, 1997), on a model's sentence
embeddings in English, else on weighted word counts. A topic is named by key phrases that are more frequent in it than
elsewhere.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from server.conversation import Sentence, count_words
from server.insights.family import Family, MeetingFacts
from server.insights.text import ComparableSentences, comparable_sentences, select_phrases
from server.insights.timeline import Timeline, Window, periods

DEFINITION_VERSION = "2"
# Seconds of talk compared on each side, and the depth of a border above the mean, in standard deviations. Word counts
# need more talk and separate less clearly; measured by ``python -m benchmarks.text``.
SIDE_S, MIN_DEVIATIONS = 120.0, 1.5
WORDS_SIDE_S, WORDS_MIN_DEVIATIONS = 180.0, 1.0
# Minimum length of a topic.
MIN_TOPIC_S = 90.0
MAX_KEYWORDS = 5
UNNAMED = "Conversation"
QUIET = "Silence"


class Topic(TypedDict):
    """The topic of a window."""

    topic: str
    start: int
    """Milliseconds, like ``end``."""
    end: int
    keywords: list[str]


class TopicsDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/meeting/topics`` without a period."""

    topics: list[Topic]


def topic_borders(sentences: Sequence[Sentence], duration_us: int) -> list[int]:
    """Return the topic borders, microseconds, in order; each is the start of a sentence."""
    return _borders(comparable_sentences(sentences), duration_us)


def _borders(compared: ComparableSentences, duration_us: int) -> list[int]:
    sentences, vectors, from_words = compared
    if len(sentences) < 4 or duration_us < 2 * MIN_TOPIC_S * 1e6:
        return []
    starts = np.array([s.start_us for s in sentences]) / 1e6
    weights = np.sqrt(np.array([count_words(s.text, s.language) for s in sentences], np.float64))
    side_s, min_deviations = (WORDS_SIDE_S, WORDS_MIN_DEVIATIONS) if from_words else (SIDE_S, MIN_DEVIATIONS)
    similarity = _similarity_across(vectors * weights[:, None], starts, side_s)
    depth = _depths(similarity)
    threshold = depth.mean() + min_deviations * depth.std()
    chosen: list[int] = []
    for index in np.argsort(-depth, kind="stable"):
        moment = starts[index]
        is_far = all(abs(moment - starts[other]) >= MIN_TOPIC_S for other in chosen)
        is_inside = MIN_TOPIC_S <= moment <= duration_us / 1e6 - MIN_TOPIC_S
        if depth[index] > max(threshold, 0.0) and is_far and is_inside:
            chosen.append(int(index))
    return sorted(sentences[index].start_us for index in chosen)


def _similarity_across(
    weighted: NDArray[np.float64], starts: NDArray[np.float64], side_s: float
) -> NDArray[np.float64]:
    """Return for each sentence the cosine similarity of the talk within ``side_s`` seconds before and from it: (n, d)
    -> (n,).
    """
    sums = np.vstack([np.zeros(weighted.shape[1]), np.cumsum(weighted, axis=0)])
    indices = np.arange(len(starts))
    first = np.searchsorted(starts, starts - side_s)
    last = np.searchsorted(starts, starts + side_s)
    before, after = sums[indices] - sums[first], sums[last] - sums[indices]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    similarity = np.sum(before * after, axis=1) / np.maximum(lengths, 1e-9)
    similarity[0] = 1.0
    return np.asarray(similarity)


def _depths(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each value lies below the peaks on both sides, Hearst's depth score: (n,) -> (n,)."""
    n = len(similarity)
    left, right = np.empty(n), np.empty(n)
    for peak, order in ((left, range(n)), (right, range(n - 1, -1, -1))):
        climbing, previous = similarity[order[0]], similarity[order[0]]
        for i in order:
            # Keep the peak of the current descent; a rise starts a new peak.
            climbing = max(climbing, similarity[i]) if similarity[i] <= previous else similarity[i]
            peak[i], previous = climbing, similarity[i]
    return np.asarray(left + right - 2 * similarity)


def name_window(timeline: Timeline, window: Window) -> tuple[str, list[str]]:
    """Return the name of a window, its best key phrase, and up to five keywords."""
    mentions: Counter[int] = Counter()
    for sentence, _ in timeline.sentences_in(window):
        if window.contains((sentence.start_us + sentence.end_us) // 2):
            mentions.update(sentence.phrases)
    keywords = select_phrases(timeline.phrases, mentions, MAX_KEYWORDS)
    if keywords:
        return keywords[0].capitalize(), keywords
    return (UNNAMED if timeline.speech_us(window) else QUIET), []


def describe_topic(timeline: Timeline, window: Window) -> Topic:
    """Return the topic of a window."""
    name, keywords = name_window(timeline, window)
    return {
        "topic": name,
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "keywords": keywords,
    }


def topic_windows(meeting: MeetingFacts) -> list[Window]:
    """Return the windows between topic borders; they cover the meeting."""
    duration_us = meeting.conversation.duration_us
    edges = [0, *_borders(meeting.comparable_sentences, duration_us), duration_us]
    return [Window(start, end) for start, end in itertools.pairwise(edges)]


def topics(meeting: MeetingFacts) -> list[Topic]:
    """Return the detected topics; they cover the meeting."""
    return [describe_topic(meeting.timeline, window) for window in meeting.cached(topic_windows)]


def period_topics(timeline: Timeline, period_s: int) -> list[Topic]:
    """Return the topic of each period of ``period_s`` seconds."""
    return [describe_topic(timeline, window) for window in periods(timeline.duration_us, period_s)]


def _document(meeting: MeetingFacts) -> TopicsDocument:
    return {"topics": topics(meeting)}


TOPICS = Family("topics", DEFINITION_VERSION, _document)
