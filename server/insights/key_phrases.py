"""Key phrases: runs of content words that a meeting comes back to.

Candidates are taken as RAKE takes them (Rose et al. 2010), between stop words; a phrase inside
a longer one counts only for what it is said beyond it (C-value, Frantzi et al. 2000).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from server.conversation.given_names import given_names
from server.insights.stop_words import STOP_WORDS

LONGEST_WORDS = 3
SHORTEST_LETTERS = 3
MOST_PHRASES = 400
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", re.UNICODE)


class Phrase(NamedTuple):
    """A phrase, in lower case."""

    text: str
    weight: float
    """How much a single mention says: log2(1 + words)."""
    mentions: int
    """Mentions in the whole meeting."""


def _content(token: str) -> bool:
    return len(token) >= SHORTEST_LETTERS and token not in STOP_WORDS and token not in given_names()


def _runs(text: str) -> list[list[str]]:
    """Runs of neighbouring content words; punctuation ends a run."""
    runs: list[list[str]] = []
    for clause in re.split(r"[.,;:!?()\"]+", text.lower().replace("’", "'")):
        run: list[str] = []
        for token in [*_TOKEN.findall(clause), ""]:
            if token and _content(token):
                run.append(token)
            elif run:
                runs.append(run)
                run = []
    return runs


def _mentions(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for run in _runs(text):
        for length in range(1, LONGEST_WORDS + 1):
            for start in range(len(run) - length + 1):
                found[" ".join(run[start : start + length])] += 1
    return found


def key_phrases(sentences: Sequence[str]) -> tuple[tuple[Phrase, ...], list[list[int]]]:
    """The phrases of a meeting, best first, and for each sentence which of them it holds (as often as it does).

    A phrase of several words must come up twice; where nothing comes up twice, single mentions count.
    """
    by_sentence = [_mentions(sentence) for sentence in sentences]
    counts: Counter[str] = Counter()
    for mentions in by_sentence:
        counts.update(mentions)
    nested: Counter[str] = Counter()
    for phrase, count in counts.items():
        words = phrase.split()
        if len(words) > 1 and count > 1:
            for part in {" ".join(words[:-1]), " ".join(words[1:])}:
                nested[part] = max(nested[part], count)
    often = {p: c for p, c in counts.items() if c > 1 and c > nested[p]}
    kept = often or {phrase: count for phrase, count in counts.items() if phrase.count(" ") <= 1}

    def value(phrase: str) -> float:
        return math.log2(1 + len(phrase.split())) * (kept[phrase] - nested[phrase] / 2)

    ranked = sorted(kept, key=lambda phrase: (-value(phrase), phrase))[:MOST_PHRASES]
    place = {phrase: index for index, phrase in enumerate(ranked)}
    phrases = tuple(Phrase(p, round(math.log2(1 + len(p.split())), 4), kept[p]) for p in ranked)
    held = [
        [place[phrase] for phrase, count in mentions.items() if phrase in place for _ in range(count)]
        for mentions in by_sentence
    ]
    return phrases, held


def best_phrases(phrases: Sequence[Phrase], mentions: Counter[int], most: int) -> list[str]:
    """The phrases that name a stretch, best first: often here, and here rather than elsewhere.

    Rank: mentions here times weight times the square root of the share of all mentions that
    fall here. A phrase whose words are all in a better one is left out.
    """
    scored = sorted(
        mentions,
        key=lambda i: (
            -mentions[i] * phrases[i].weight * math.sqrt(mentions[i] / phrases[i].mentions),
            phrases[i].text,
        ),
    )
    chosen: list[str] = []
    for index in scored:
        words = set(phrases[index].text.split())
        if not any(words <= set(other.split()) or set(other.split()) <= words for other in chosen):
            chosen.append(phrases[index].text)
        if len(chosen) == most:
            break
    return chosen
