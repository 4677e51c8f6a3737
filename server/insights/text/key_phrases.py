"""Key phrases: recurring runs of content words.

Candidates lie between stop words as in RAKE (Rose et al., 2010); a phrase inside a longer one counts only for its
occurrences beyond it (C-value, Frantzi et al., 2000). In languages without spaces, candidates are runs of Han and
katakana in Japanese, since hiragana joins them, and repeated strings in Chinese (``chinese_phrases``). Thai, Lao,
Burmese and Khmer are not supported.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from server.conversation import COMBINING_MARKS, ENGLISH, PLACEHOLDER, UNSPACED_SCRIPTS, given_names
from server.insights.text.chinese_phrases import CHINESE, HAN_RUN, count_chinese_mentions
from server.insights.text.stop_words import stop_words

MAX_WORDS = 3
MIN_LETTERS, MIN_SYLLABLES = 3, 2
MAX_PHRASES = 400
# In a language without a stop word list, words in more than this share of sentences count as stop words.
STOP_WORD_SHARE, STOP_WORD_MENTIONS = 0.15, 5
_HAN_KATAKANA = "々〆\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = f"(?![{UNSPACED_SCRIPTS}])(?:[^\\W\\d_]|[{COMBINING_MARKS}])"
_TOKEN = re.compile(f"(?:{_LETTER})+(?:['’-](?:{_LETTER})+)*|[{_HAN_KATAKANA}]+")
# In these scripts a character is a syllable or a word.
_SYLLABLES = re.compile(f"[{_HAN_KATAKANA}\uac00-\ud7a3]")
_CLAUSE_END = re.compile(r"[.,;:!?()\"、。，！？：；「」『』（）؟،؛۔।॥]+")


class Phrase(NamedTuple):
    """A phrase, in lower case."""

    text: str
    weight: float
    """Information of a single mention: log2(1 + words)."""
    mentions: int
    """Number of mentions in the meeting."""


def _stop_words(texts: Sequence[str], languages: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return each language's stop words; without a list, the words that most of its sentences contain."""
    found = {language: stop_words(language) for language in set(languages)}
    for unlisted in [language for language, words in found.items() if not words]:
        own = [text for text, language in zip(texts, languages, strict=True) if language == unlisted]
        document_frequency = Counter(token for text in own for token in set(_TOKEN.findall(text.lower())))
        limit = max(STOP_WORD_MENTIONS, STOP_WORD_SHARE * len(own))
        found[unlisted] = frozenset(token for token, count in document_frequency.items() if count > limit)
    return found


def _is_content_word(token: str, language: str, stops: frozenset[str]) -> bool:
    if language == ENGLISH and token in given_names():
        return False
    return len(token) >= (MIN_SYLLABLES if _SYLLABLES.match(token) else MIN_LETTERS) and token not in stops


def _find_runs(text: str, language: str, stops: frozenset[str]) -> list[list[str]]:
    """Return runs of adjacent content words; punctuation and non-word characters end a run."""
    if language in CHINESE:
        text = HAN_RUN.sub("，", text)
    runs: list[list[str]] = []
    # What was redacted is no word of the meeting.
    text = PLACEHOLDER.sub(",", text)
    for clause in _CLAUSE_END.split(text.lower().replace("’", "'")):
        run: list[str] = []
        for token in [*_TOKEN.findall(clause), ""]:
            if token and _is_content_word(token, language, stops):
                run.append(token)
            elif run:
                runs.append(run)
                run = []
    return runs


def _count_mentions(text: str, language: str, stops: frozenset[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for run in _find_runs(text, language, stops):
        for length in range(1, MAX_WORDS + 1):
            for start in range(len(run) - length + 1):
                found[" ".join(run[start : start + length])] += 1
    return found


def extract_key_phrases(
    sentences: Sequence[str], languages: Sequence[str] | None = None
) -> tuple[tuple[Phrase, ...], list[list[int]]]:
    """Return the phrases of a meeting, best first, and for each sentence the indices of its phrases, with repetitions.

    Multi-word phrases must occur twice; if nothing is repeated, single mentions count.

    Args:
        languages: BCP 47 primary tag of each sentence; None for English.
    """
    languages = languages if languages is not None else [ENGLISH] * len(sentences)
    stops = _stop_words(sentences, languages)
    by_sentence = [
        _count_mentions(sentence, language, stops[language])
        for sentence, language in zip(sentences, languages, strict=True)
    ]
    chinese = [index for index, language in enumerate(languages) if language in CHINESE]
    for index, mentions in zip(chinese, count_chinese_mentions([sentences[i] for i in chinese]), strict=True):
        by_sentence[index] += mentions
    counts: Counter[str] = Counter()
    for mentions in by_sentence:
        counts.update(mentions)
    nested: Counter[str] = Counter()
    for phrase, count in counts.items():
        words = phrase.split()
        if len(words) > 1 and count > 1:
            for part in {" ".join(words[:-1]), " ".join(words[1:])}:
                nested[part] = max(nested[part], count)
    repeated = {p: c for p, c in counts.items() if c > 1 and c > nested[p]}
    candidates = repeated or {phrase: count for phrase, count in counts.items() if phrase.count(" ") <= 1}

    def value(phrase: str) -> float:
        return math.log2(1 + len(phrase.split())) * (candidates[phrase] - nested[phrase] / 2)

    ranked = sorted(candidates, key=lambda phrase: (-value(phrase), phrase))[:MAX_PHRASES]
    indices = {phrase: index for index, phrase in enumerate(ranked)}
    phrases = tuple(Phrase(p, round(math.log2(1 + len(p.split())), 4), candidates[p]) for p in ranked)
    phrase_indices = [
        [indices[phrase] for phrase, count in mentions.items() if phrase in indices for _ in range(count)]
        for mentions in by_sentence
    ]
    return phrases, phrase_indices


def select_phrases(phrases: Sequence[Phrase], mentions: Counter[int], limit: int) -> list[str]:
    """Return the phrases that characterise a window, best first: frequent in it, and more than elsewhere.

    Rank: mentions in the window times weight times the square root of the share of all mentions that are in it. A
    phrase whose words are all in a better one is skipped.

    Args:
        mentions: number of mentions in the window by phrase index.
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
        phrase = phrases[index].text
        if not any(_overlaps(phrase, other) for other in chosen):
            chosen.append(phrase)
        if len(chosen) == limit:
            break
    return chosen


def _overlaps(phrase: str, other: str) -> bool:
    """Return whether one phrase contains all words of the other."""
    words, others = set(phrase.split()), set(other.split())
    if words <= others or others <= words:
        return True
    # Han without spaces has no separable words.
    return bool(_SYLLABLES.match(phrase)) and (phrase in other or other in phrase)
