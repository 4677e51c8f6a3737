"""Plain phrases in spoken words: whole words, whatever their case, punctuation and encoding."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from meetra.v1 import live_pb2 as pb

from server.conversation import COMBINING_MARKS, PLACEHOLDER, UNSPACED_SCRIPTS

# Between two words of a phrase, and between its first and its last moment, milliseconds.
MAX_GAP_MS, MAX_LENGTH_MS = 3000, 30_000
# In scripts that do not separate words each character is a token, with its marks.
_TOKEN = re.compile(
    rf"[{UNSPACED_SCRIPTS}][{COMBINING_MARKS}]*"
    rf"|(?:[^\W_{UNSPACED_SCRIPTS}][{COMBINING_MARKS}]*)+(?:'(?:[^\W_{UNSPACED_SCRIPTS}][{COMBINING_MARKS}]*)+)*"
)
_REDACTED = ("",)


@lru_cache(maxsize=20_000)
def tokens_of(text: str) -> tuple[str, ...]:
    """Return the tokens of a text: words in lower case, or characters. A redacted one equals none that was given."""
    if PLACEHOLDER.search(text):
        return _REDACTED
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'"))
    return tuple(token for token in _TOKEN.findall(plain) if any(map(str.isalnum, token)))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a rule."""

    rule: int
    """Place of the rule in the meeting's rules."""
    text: str
    """As it was given."""
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpokenPhrase:
    """A place where a phrase is said."""

    phrase: Phrase
    turn: pb.LiveTurn
    """The turn with its first word."""
    start_ms: int
    end_ms: int
    final: bool
    """Whether all of its words are final."""


class PhraseFinder:
    """Find phrases in what one speaker says."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        by_first: defaultdict[str, list[Phrase]] = defaultdict(list)
        for phrase in phrases:
            by_first[phrase.tokens[0]].append(phrase)
        self._by_first: Mapping[str, list[Phrase]] = dict(by_first)

    def without(self, rules: Set[int]) -> PhraseFinder:
        """Return a finder of the phrases of the other rules, by their places."""
        return PhraseFinder([phrase for phrase in self._phrases if phrase.rule not in rules])

    def find(self, turns: Sequence[pb.LiveTurn], final_ms: int) -> Iterator[SpokenPhrase]:
        """Yield the phrases in turns of one speaker on one track.

        Args:
            final_ms: words of turns that are not FINAL are final up to here.
        """
        said = sorted(
            ((word, turn) for turn in turns for word in turn.words), key=lambda item: (item[0].start_ms, item[0].end_ms)
        )
        places = [(token, word, turn) for word, turn in said for token in tokens_of(word.text)]
        tokens = tuple(token for token, _, _ in places)
        for first, (token, word, turn) in enumerate(places):
            for phrase in self._by_first.get(token, ()):
                last = first + len(phrase.tokens)
                if tokens[first:last] != phrase.tokens:
                    continue
                words = [found_word for _, found_word, _ in places[first:last]]
                if _is_interrupted(words):
                    continue
                final = all(
                    t.state == pb.LIVE_TURN_STATE_FINAL or w.end_ms <= final_ms for _, w, t in places[first:last]
                )
                yield SpokenPhrase(phrase, turn, word.start_ms, max(w.end_ms for w in words), final)


def _is_interrupted(words: Sequence[pb.LiveWord]) -> bool:
    return words[-1].end_ms - words[0].start_ms > MAX_LENGTH_MS or any(
        after.start_ms - before.end_ms > MAX_GAP_MS for before, after in pairwise(words)
    )
