"""What is talked about, and when.

Topics are cut where the meaning of what follows differs most from what went before:
TextTiling (Hearst 1997), in English on sentence vectors of a model, else on weighted counts of words. A stretch is
named by the key phrases that are said in it more than elsewhere.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.conversation import Conversation, Sentence, word_count
from server.insights.key_phrases import best_phrases
from server.insights.periods import periods
from server.insights.timeline import Timeline, Window
from server.insights.vectors import comparable

DEFINITION_VERSION = "2"
# Seconds of talk on each side that are compared, and by how many standard deviations a cut must be deeper than the mean
# depth. Counts of words need more talk, and say less clearly where it turns: measured by ``python -m benchmarks.text``.
SIDE_S, DEEPER_BY = 120.0, 1.5
WORDS_SIDE_S, WORDS_DEEPER_BY = 180.0, 1.0
# Nobody changes the topic faster than this.
MIN_TOPIC_S = 90.0
MAX_KEYWORDS = 5
UNNAMED = "Conversation"
QUIET = "Silence"


def topic_borders(sentences: Sequence[Sentence], duration_us: int) -> list[int]:
    """Moments at which the topic changes, in microseconds, in the order of time; each begins a sentence."""
    read, vectors, by_words = comparable(sentences)
    if len(read) < 4 or duration_us < 2 * MIN_TOPIC_S * 1e6:
        return []
    starts = np.array([s.start_us for s in read]) / 1e6
    weights = np.sqrt(np.array([word_count(s.text, s.language) for s in read], np.float64))
    side_s, deeper_by = (WORDS_SIDE_S, WORDS_DEEPER_BY) if by_words else (SIDE_S, DEEPER_BY)
    similarity = _similarity_across(vectors * weights[:, None], starts, side_s)
    depth = _depths(similarity)
    threshold = depth.mean() + deeper_by * depth.std()
    chosen: list[int] = []
    for index in np.argsort(-depth, kind="stable"):
        moment = starts[index]
        far = all(abs(moment - starts[other]) >= MIN_TOPIC_S for other in chosen)
        inside = MIN_TOPIC_S <= moment <= duration_us / 1e6 - MIN_TOPIC_S
        if depth[index] > max(threshold, 0.0) and far and inside:
            chosen.append(int(index))
    return sorted(read[index].start_us for index in chosen)


def _similarity_across(
    weighted: NDArray[np.float64], starts: NDArray[np.float64], side_s: float
) -> NDArray[np.float64]:
    """For each sentence the cosine of the talk ``side_s`` seconds before it and that from it on. (n, d) -> (n,)."""
    sums = np.vstack([np.zeros(weighted.shape[1]), np.cumsum(weighted, axis=0)])
    here = np.arange(len(starts))
    first = np.searchsorted(starts, starts - side_s)
    last = np.searchsorted(starts, starts + side_s)
    before, after = sums[here] - sums[first], sums[last] - sums[here]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    similarity = np.sum(before * after, axis=1) / np.maximum(lengths, 1e-9)
    similarity[0] = 1.0
    return np.asarray(similarity)


def _depths(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value lies under the peaks on both sides of it, Hearst's depth score. (n,) -> (n,)."""
    n = len(similarity)
    left, right = np.empty(n), np.empty(n)
    for peak, order in ((left, range(n)), (right, range(n - 1, -1, -1))):
        climbing, previous = similarity[order[0]], similarity[order[0]]
        for i in order:
            # Climb while it rises; a fall below here begins a new climb.
            climbing = max(climbing, similarity[i]) if similarity[i] <= previous else similarity[i]
            peak[i], previous = climbing, similarity[i]
    return np.asarray(left + right - 2 * similarity)


def name_of(line: Timeline, window: Window) -> tuple[str, list[str]]:
    """Name and keywords of a stretch: its best key phrase, and up to five."""
    mentions: Counter[int] = Counter()
    for sentence, _ in line.sentences_in(window):
        if window.holds((sentence.start_us + sentence.end_us) // 2):
            mentions.update(sentence.phrases)
    keywords = best_phrases(line.phrases, mentions, MAX_KEYWORDS)
    if keywords:
        return keywords[0].capitalize(), keywords
    return (UNNAMED if line.speech_us(window) else QUIET), []


def topic_document(line: Timeline, window: Window) -> dict[str, Any]:
    """One topic: ``topic``, ``start``, ``end`` (ms), ``keywords``."""
    name, keywords = name_of(line, window)
    return {
        "topic": name,
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "keywords": keywords,
    }


def topic_windows(conversation: Conversation) -> list[Window]:
    """The stretches between changes of topic; they cover the meeting."""
    borders = topic_borders(conversation.sentences, conversation.duration_us)
    edges = [0, *borders, conversation.duration_us]
    return [Window(start, end) for start, end in itertools.pairwise(edges)]


def topics(conversation: Conversation, line: Timeline) -> list[dict[str, Any]]:
    """Row 9 without a period: the topics found."""
    return [topic_document(line, window) for window in topic_windows(conversation)]


def period_topics(line: Timeline, period_s: int) -> list[dict[str, Any]]:
    """Row 9 with a period: what each period is about."""
    return [topic_document(line, window) for window in periods(line.duration_us, period_s)]
