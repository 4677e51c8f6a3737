"""Phrases of Chinese, which has no spaces: repeated strings between stop words.

A string within a longer one of equal frequency is not a phrase of its own, so the longest repeated ones remain. No word
segmentation is needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from server.insights.text.stop_words import stop_words

CHINESE = frozenset(["zh", "yue"])
MIN_LENGTH, MAX_LENGTH = 2, 6
HAN_RUN = re.compile("[々\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
# Only those one-character stop words that are hardly ever part of other words: 会 "can" is also in 会议 "meeting".
_PARTICLES = (
    "的了吗呢吧啊呀嘛和与及或但就也都很还又才把被让给从到在是有没不这那哪我你他她它们"
    "嗎與還讓給從沒這們嘅喺咗哋唔係冇佢嗰啲緊"
)


@cache
def _stop_pattern() -> re.Pattern[str]:
    longer = sorted((word for word in stop_words("zh") if len(word) > 1), key=lambda word: (-len(word), word))
    return re.compile("|".join([*map(re.escape, longer), f"[{_PARTICLES}]"]))


def count_chinese_mentions(texts: Sequence[str]) -> list[Counter[str]]:
    """Count the phrases in each sentence.

    If nothing is repeated, whole runs between stop words count as phrases.
    """
    runs = [[r for r in HAN_RUN.findall(_stop_pattern().sub("，", text)) if len(r) >= MIN_LENGTH] for text in texts]
    by_sentence = [Counter(part for run in own for part in _substrings(run)) for own in runs]
    counts: Counter[str] = Counter()
    for mentions in by_sentence:
        counts.update(mentions)
    longer_counts: Counter[str] = Counter()
    for part, count in counts.items():
        for inner in (part[:-1], part[1:]):
            longer_counts[inner] = max(longer_counts[inner], count)
    repeated = {part for part, count in counts.items() if count > 1 and count > longer_counts[part]}
    if not repeated:
        return [Counter(own) for own in runs]
    return [Counter({part: count for part, count in own.items() if part in repeated}) for own in by_sentence]


def _substrings(run: str) -> list[str]:
    return [
        run[start : start + length]
        for length in range(MIN_LENGTH, min(MAX_LENGTH, len(run)) + 1)
        for start in range(len(run) - length + 1)
    ]
