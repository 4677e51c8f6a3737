"""Whisper's tokens: prompts, languages, and the words that tokens form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from inference.models import ModelUnfit

LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
# Languages without spaces: a word is the shortest run of tokens that decodes to whole characters.
UNSPACED_LANGUAGES = frozenset(["zh", "ja", "yue", "th", "lo", "my", "km"])
# Maximum number of tokens of key terms in a prompt.
MAX_PROMPT_TOKENS = 200
# The model continues what was said before. After a list without an end it often writes one more name and nothing else;
# after a sentence it writes what it hears. In other languages a sentence in English makes it translate; a model of a
# single language is one of English.
BEFORE_TERMS, AFTER_TERMS = " Welcome to the meeting. With us are", "."
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class TokenWord:
    """A word and its tokens."""

    text: str
    first: int
    """Index of its first token."""
    end: int
    """Index after its last token."""


class WhisperTokens:
    """The vocabulary of one model."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Find Whisper's special tokens. Raises ModelUnfit when one is missing."""
        self._tokenizer = tokenizer
        self.start, self.transcribe, self.no_times, self.previous, self.end_of_text = (
            self._required_token(f"<|{name}|>")
            for name in ("startoftranscript", "transcribe", "notimestamps", "startofprev", "endoftext")
        )
        self._languages = {
            match[1]: number
            for token, number in tokenizer.get_vocab(with_added_tokens=True).items()
            if number > self.start and number < self.transcribe and (match := LANGUAGE_TOKEN.fullmatch(token))
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages with tokens, whether or not the weights know them; BCP 47 primary tags."""
        return tuple(sorted(self._languages))

    def sequence(self, language: str) -> list[int]:
        """Return the start of a text in a language; ``language`` is empty for a model of a single language."""
        return [self.start, self._languages[language], self.transcribe] if language else [self.start]

    def prompt(self, language: str, key_terms: Sequence[str], *, with_times: bool = False) -> list[int]:
        """Return the prompt of a window, with the key terms as if they had been said before it.

        ``with_times``: the model emits timestamps between phrases, which changes its text.
        """
        times = [] if with_times else [self.no_times]
        before = BEFORE_TERMS if language in ("", "en") else ""
        return [*self._prefix_tokens(key_terms, before), *self.sequence(language), *times]

    def _prefix_tokens(self, key_terms: Sequence[str], before: str) -> list[int]:
        terms: list[int] = []
        for term in key_terms:
            term_tokens = self._text_tokens(f"{',' if terms else ''} {term}")
            if len(terms) + len(term_tokens) > MAX_PROMPT_TOKENS:
                break
            terms += term_tokens
        return [self.previous, *self._text_tokens(before), *terms, *self._text_tokens(AFTER_TERMS)] if terms else []

    def _text_tokens(self, text: str) -> list[int]:
        """Return a text's tokens; special ones that it may spell are removed."""
        tokens = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [number for number in tokens if number < self.end_of_text]

    def text(self, tokens: Sequence[int]) -> str:
        """Decode tokens to text, without special ones."""
        return str(self._tokenizer.decode([token for token in tokens if token < self.end_of_text]))

    def words(self, tokens: Sequence[int], language: str) -> list[TokenWord]:
        """Group the tokens of a text (below ``end_of_text``) into words, punctuation with its word."""
        words: list[TokenWord] = []
        for text, first, end in self._characters(tokens):
            stripped = text.strip()
            if not words or self._begins_word(text, stripped, words[-1].text, language):
                words.append(TokenWord(stripped, first, end))
            else:
                words[-1] = TokenWord(words[-1].text + stripped, words[-1].first, end)
        return _with_marks(words)

    def _begins_word(self, text: str, stripped: str, previous_word: str, language: str) -> bool:
        """Return whether the next text begins a word rather than continuing the one before."""
        if previous_word and previous_word[-1] in _OPENING and not _has_letters(previous_word):
            return False  # an opening mark joins its word, even across a space
        if text[:1].isspace():
            return True
        if language not in UNSPACED_LANGUAGES or not _has_letters(previous_word):
            return False
        if stripped[:1] in _OPENING or stripped[:1] in _SIGNS:
            return True
        # Without spaces every run begins a word, except letters and digits of scripts with spaces: "3.5".
        last = previous_word[-2:-1] if previous_word[-1] in _JOINING else previous_word[-1]
        return _has_letters(stripped) and not (_is_spaced_script(last) and _is_spaced_script(stripped[:1]))

    def _characters(self, tokens: Sequence[int]) -> list[tuple[str, int, int]]:
        """Return the shortest runs of tokens that decode to whole characters: text, first index, end index."""
        found: list[tuple[str, int, int]] = []
        first = 0
        for index in range(len(tokens)):
            text = self.text(tokens[first : index + 1])
            if _REPLACEMENT not in text or index + 1 - first >= _MAX_CHARACTER:
                found.append((text.replace(_REPLACEMENT, ""), first, index + 1))
                first = index + 1
        return found

    def _required_token(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelUnfit(f"tokenizer.json has no token {token}: it is not a Whisper tokenizer")
        return int(number)


# Marks that precede their word, and marks that may stand on either side of a number.
_OPENING, _SIGNS = frozenset("¿¡([{«“‘„「『（《"), frozenset("$€£¥₹#@")
# Marks that join letters or digits into one word.
_JOINING = frozenset(".,:-'’/")
# UTF-8 bytes in one character; each may be a token.
_MAX_CHARACTER = 4

_DASHES = frozenset("-–—")


def _with_marks(words: Sequence[TokenWord]) -> list[TokenWord]:
    """Join marks on their own to the word before them; drop dashes on their own."""
    found: list[TokenWord] = []
    for word in words:
        if _has_letters(word.text):
            found.append(word)
        elif found and not _DASHES.issuperset(word.text):
            found[-1] = TokenWord(found[-1].text + word.text, found[-1].first, word.end)
    return found


def _is_spaced_script(character: str) -> bool:
    """Return whether it is a letter or digit of a script that is written with spaces."""
    return character.isalnum() and character < "\u0e00"


def _has_letters(text: str) -> bool:
    return any(character.isalnum() for character in text)
