"""The end of a speaker's words that may still become something to redact: it is held back until it is clear.

Words arrive while they are spoken. "My number is 0171" is no telephone number yet, and "ann dot lee at" no address.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.conversation import RedactionKind, Word
from server.redaction.context import EMAIL_WORDS
from server.redaction.digit_runs import MAX_PAUSE_US
from server.redaction.emails import ADDRESS_JOINERS, AT_SIGNS, MAX_DOMAIN_WORDS
from server.redaction.spoken_numbers import FILLERS, MAX_FILLERS, bare, find_digit_groups

# The longest end that is held back, in words: longer ones are no numbers or addresses.
MAX_TAIL = 64
# What may be the beginning of an address before its first joiner or at sign has been said.
LAST_WORDS = 2
# After a word such as "e-mail", an address may be spelled.
WORDS_AFTER_MENTION = 12
_SHORT_WORDS = frozenset("a i an am as at be by do go he if in is it me my no of on or so to up us we".split())
_NUMBERS = frozenset([RedactionKind.PHONE, RedactionKind.CARD, RedactionKind.IBAN])


def find_open_tail(words: Sequence[Word], kinds: frozenset[RedactionKind], language: str, now_us: int) -> int:
    """Return the index of the first word that is held back; ``len(words)`` if none is.

    Args:
        words: a speaker's last words, in time order.
        language: BCP 47 primary tag of the words; empty if unknown.
        now_us: up to where the speaker's audio has been analysed; a pause of 8 s ends whatever was begun.
    """
    if not words or now_us - words[-1].end_us > MAX_PAUSE_US:
        return len(words)
    offset = max(0, len(words) - MAX_TAIL)
    texts = [word.text for word in words[offset:]]
    held = len(texts)
    if kinds & _NUMBERS:
        held = min(held, _digits_tail(texts, language))
    if RedactionKind.EMAIL in kinds:
        held = min(held, _address_tail(texts))
    return offset + held


def _digits_tail(texts: Sequence[str], language: str) -> int:
    """Return where a run of digits begins that may go on, with letters before it, as an account has."""
    groups = {group.last: group for group in find_digit_groups(texts, language)}
    first = index = len(texts)
    fillers = 0
    while index > 0:
        text = bare(texts[index - 1])
        if group := groups.get(index - 1):
            first = index = group.first
            fillers = 0
        elif _is_open_word(text):
            index -= 1
            first = index
            fillers = 0
        elif text in FILLERS and fillers < MAX_FILLERS:
            index -= 1
            fillers += 1
        else:
            break
    return first


def _is_open_word(text: str) -> bool:
    """Return whether a word begins a number by itself: "plus", "double", spelled letters, "DE89"."""
    spelled = len(text) <= 2 and text.isalpha() and text not in _SHORT_WORDS
    return text in ("plus", "+", "double", "triple", "treble") or spelled or any(c.isdigit() for c in text)


def _address_tail(texts: Sequence[str]) -> int:
    """Return where an address begins that may go on."""
    # No address begins with the last word of a sentence.
    first = len(texts) if _ends_sentence(texts[-1]) else max(0, len(texts) - LAST_WORDS)
    plain = [bare(text) for text in texts]
    for index in range(len(texts) - 1, max(-1, len(texts) - 2 - MAX_DOMAIN_WORDS), -1):
        if plain[index] in AT_SIGNS or plain[index].endswith("@"):
            first = min(first, max(0, index - 1))
            break
    while 1 < first < len(plain) and (plain[first] in ADDRESS_JOINERS or plain[first - 1] in ADDRESS_JOINERS):
        first -= 1 if plain[first] in ADDRESS_JOINERS else 2
    mentions = [index for index, text in enumerate(plain) if text in EMAIL_WORDS]
    if mentions and len(texts) - mentions[-1] <= WORDS_AFTER_MENTION and not _ended(texts[mentions[-1] + 1 :]):
        first = min(first, mentions[-1] + 1)
    return first


def _ended(texts: Sequence[str]) -> bool:
    return any(map(_ends_sentence, texts))


def _ends_sentence(text: str) -> bool:
    return text.endswith((".", "?", "!")) and len(bare(text)) > 1
