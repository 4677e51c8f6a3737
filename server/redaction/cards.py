"""Numbers of payment cards: known beginnings and lengths, and the check digit (ISO/IEC 7812, Luhn)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import luhn

from server.redaction.context import CARD_WORDS, Context, Label
from server.redaction.digit_runs import Candidate, candidates, is_counting
from server.redaction.spoken_numbers import DigitGroup

LENGTHS = range(13, 20)
# A number of this length that is called a card's is one, although a digit was misheard.
MISHEARD_LENGTHS = range(12, 21)
# After "the card number is", so many digits are some of one.
MIN_LABELLED = 8
MAX_DIGITS = 24
# Visa; Mastercard; American Express; Diners Club; Discover, UnionPay, RuPay and Maestro; JCB.
_ISSUED = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,13}|6(?:011|4[4-9]\d|5\d\d|2\d\d|0\d\d|8\d\d)\d{12,15}|(?:5[0678]|6\d)\d{12,17}|35\d{14,17}"
)


def find_card(run: Sequence[DigitGroup], context: Context) -> Candidate | None:
    """Return the groups of a run that are a card's number, or None."""
    whole = Candidate("".join(group.digits for group in run), tuple(run))
    label = context.label(whole.first)
    if label in (Label.OTHER, Label.IBAN):
        return None
    for candidate in candidates(run, LENGTHS):
        if _ISSUED.fullmatch(candidate.digits) and luhn.is_valid(candidate.digits):
            # Digits beside it that are no number of their own, as an expiry or a security code, go with it.
            return whole if len(whole.digits) <= MAX_DIGITS else candidate
    if label is Label.CARD and MIN_LABELLED <= len(whole.digits) <= MAX_DIGITS:
        return whole
    if label is Label.PHONE or len(whole.digits) not in MISHEARD_LENGTHS or whole.plus:
        return None
    is_called = context.speaks_of(CARD_WORDS, whole.first, whole.last)
    return whole if is_called and not is_counting(run) else None
