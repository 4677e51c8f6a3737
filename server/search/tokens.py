"""Words of a text, as they are indexed and searched for.

Letters of scripts without spaces, and Korean, whose words carry particles, become overlapping pairs: a text search that
knows no words of these languages finds any part of a word by them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from server.conversation import COMBINING_MARKS, PLACEHOLDER, UNSPACED_SCRIPTS

_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
_PAIRED = f"(?:(?=[{UNSPACED_SCRIPTS}{_HANGUL}])[\\w{COMBINING_MARKS}])+"
_SPACED = f"(?:(?![{UNSPACED_SCRIPTS}{_HANGUL}])(?:[^\\W_]|[{COMBINING_MARKS}]))+"
_TOKEN = re.compile(rf"(?P<number>[0-9]+(?:[.,][0-9]+)+)|(?P<paired>{_PAIRED})|(?P<word>{_SPACED})")
# PostgreSQL's parser leaves out longer ones with a notice.
MAX_TOKEN = 200


class Token(NamedTuple):
    """A word, or a run of letters without spaces."""

    text: str
    """Without case."""
    written: str
    """As it stands in the text."""
    paired: bool
    """Whether it is indexed by pairs of letters."""

    @property
    def pairs(self) -> list[str]:
        """The overlapping pairs of letters of a run; the letter itself if it is alone."""
        return [self.text[i : i + 2] for i in range(max(1, len(self.text) - 1))]


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text in order; what was redacted is none."""
    plain = PLACEHOLDER.sub(" ", unicodedata.normalize("NFKC", text))
    for found in _TOKEN.finditer(plain):
        yield Token(found[0].casefold()[:MAX_TOKEN], found[0], found.lastgroup == "paired")


def index_text(text: str) -> str:
    """Return a text's words, separated by spaces, for PostgreSQL to bring to their stems.

    The last letter of a run stands alone, too: it begins no pair.
    """
    words: list[str] = []
    for token in tokens(text):
        if token.paired:
            words += token.pairs
            if len(token.text) > 1:
                words.append(token.text[-1])
        else:
            words.append(token.text)
    return " ".join(words)


def without_case(text: str) -> str:
    """Return a text as names and topics are compared: without case, and without variants of width."""
    return unicodedata.normalize("NFKC", text).casefold()
