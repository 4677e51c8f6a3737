"""Whisper's tokens: prompts, languages, and which tokens make a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from inference.models import ModelUnfit

LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
# Written without spaces: a word is what the model writes as one, and nothing stands between words.
WITHOUT_SPACES = frozenset(["zh", "ja", "yue", "th", "lo", "my", "km"])
# Tokens for what may be said, before the window's own.
MAX_PROMPT_TOKENS = 200
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class TokenWord:
    """A word as the model wrote it."""

    text: str
    first: int
    """Place of its first token."""
    end: int
    """Place after its last token."""


class WhisperTokens:
    """The vocabulary of one model."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises ModelUnfit when it is none of Whisper's."""
        self._tokenizer = tokenizer
        self.start, self.transcribe, self.no_times, self.previous, self.end_of_text = (
            self._needed(f"<|{name}|>")
            for name in ("startoftranscript", "transcribe", "notimestamps", "startofprev", "endoftext")
        )
        self._languages = {
            match[1]: number
            for token, number in tokenizer.get_vocab(with_added_tokens=True).items()
            if number > self.start and number < self.transcribe and (match := LANGUAGE_TOKEN.fullmatch(token))
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages it has tokens for, whether or not its weights know them; BCP 47 primary tags."""
        return tuple(sorted(self._languages))

    def sequence(self, language: str) -> list[int]:
        """What a text in a language begins with; ``language`` is empty for a model of one language."""
        return [self.start, self._languages[language], self.transcribe] if language else [self.start]

    def prompt(self, language: str, key_terms: Sequence[str], *, with_times: bool = False) -> list[int]:
        """What the text of a window goes on from; the terms as if they had been said before it.

        ``with_times``: the model writes times between phrases, and then it writes otherwise.
        """
        times = [] if with_times else [self.no_times]
        return [*self._before(key_terms), *self.sequence(language), *times]

    def _before(self, key_terms: Sequence[str]) -> list[int]:
        written: list[int] = []
        for term in key_terms:
            more = self._tokenizer.encode(f"{',' if written else ''} {term}", add_special_tokens=False).ids
            if len(written) + len(more) > MAX_PROMPT_TOKENS:
                break
            # A term is text: whatever it spells, it is no command to the model.
            written += [number for number in more if number < self.end_of_text]
        return [self.previous, *written] if written else []

    def text(self, tokens: Sequence[int]) -> str:
        """What the tokens spell; special ones spell nothing."""
        return str(self._tokenizer.decode([token for token in tokens if token < self.end_of_text]))

    def words(self, tokens: Sequence[int], language: str) -> list[TokenWord]:
        """The words of a text (tokens below ``end_of_text``), punctuation with the word that it is written at."""
        words: list[TokenWord] = []
        for text, first, end in self._characters(tokens):
            shown = text.strip()
            if not words or self._begins(text, shown, words[-1].text, language):
                words.append(TokenWord(shown, first, end))
            else:
                words[-1] = TokenWord(words[-1].text + shown, words[-1].first, end)
        return _with_marks(words)

    def _begins(self, text: str, shown: str, before: str, language: str) -> bool:
        """Whether what the next tokens spell begins a word, and does not go on the one before."""
        if before and before[-1] in _OPENING and not _spoken(before):
            return False  # an opening mark waits for its word, be there a space between them
        if text[:1].isspace():
            return True
        if language not in WITHOUT_SPACES or not _spoken(before):
            return False
        if shown[:1] in _OPENING or shown[:1] in _SIGNS:
            return True
        # Without spaces every character begins a word, but for those of scripts that have spaces elsewhere: "3.5".
        last = before[-2:-1] if before[-1] in _WITHIN else before[-1]
        return _spoken(shown) and not (_spaced(last) and _spaced(shown[:1]))

    def _characters(self, tokens: Sequence[int]) -> list[tuple[str, int, int]]:
        """The shortest runs of tokens that spell whole characters, with their places."""
        found: list[tuple[str, int, int]] = []
        first = 0
        for place in range(len(tokens)):
            text = self.text(tokens[first : place + 1])
            if _REPLACEMENT not in text or place + 1 - first >= _MAX_CHARACTER:
                found.append((text.replace(_REPLACEMENT, ""), first, place + 1))
                first = place + 1
        return found

    def _needed(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelUnfit(f"tokenizer.json has no token {token}: it is none of Whisper's")
        return int(number)


# What stands before its word, and what may stand on either side of a number.
_OPENING, _SIGNS = frozenset("¿¡([{«“‘„「『（《"), frozenset("$€£¥₹#@")
# What joins letters or digits to one word.
_WITHIN = frozenset(".,:-'’/")
# Bytes of UTF-8 of one character, each perhaps a token.
_MAX_CHARACTER = 4

_DASHES = frozenset("-–—")


def _with_marks(words: Sequence[TokenWord]) -> list[TokenWord]:
    """Marks that stand alone go to the word before them; a dash of its own is no part of a word."""
    found: list[TokenWord] = []
    for word in words:
        if _spoken(word.text):
            found.append(word)
        elif found and not _DASHES.issuperset(word.text):
            found[-1] = TokenWord(found[-1].text + word.text, found[-1].first, word.end)
    return found


def _spaced(character: str) -> bool:
    """Whether it is a letter or digit of a script that is written with spaces."""
    return character.isalnum() and character < "\u0e00"


def _spoken(text: str) -> bool:
    return any(character.isalnum() for character in text)
