"""Telephone numbers, checked by Google's library of numbering plans (``phonenumbers``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import phonenumbers

from server.redaction.context import PHONE_WORDS, Context, Label
from server.redaction.digit_runs import Candidate, candidates, is_counting
from server.redaction.spoken_numbers import DigitGroup

LENGTHS = range(7, 18)
# Without a word that says so, shorter numbers are too many other things.
MIN_UNCALLED = 9
MAX_PHONE = 15
# After "my mobile number is", so many digits are some of one.
MIN_LABELLED = 5
# A number that nobody calls one and that its plan does not know: said in groups, beginning with the digit to dial out.
DIALLED_LENGTHS, MIN_DIALLED_GROUPS = range(10, 13), 3
# Where a language is spoken: the numbering plans that a national number is checked against.
REGIONS = {
    "en": ("US", "GB", "AU", "IN", "IE", "ZA", "NZ", "SG"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH", "CA"),
    "es": ("ES", "MX", "AR", "CO", "CL", "PE"),
    "it": ("IT", "CH"),
    "pt": ("PT", "BR"),
    "nl": ("NL", "BE"),
    "pl": ("PL",),
    "sv": ("SE", "FI"),
    "da": ("DK",),
    "no": ("NO",),
    "nb": ("NO",),
    "fi": ("FI",),
    "cs": ("CZ",),
    "sk": ("SK",),
    "hu": ("HU",),
    "ro": ("RO",),
    "el": ("GR", "CY"),
    "tr": ("TR",),
    "ru": ("RU", "KZ"),
    "uk": ("UA",),
    "ja": ("JP",),
    "ko": ("KR",),
    "zh": ("CN", "TW", "HK"),
    "ar": ("EG", "SA", "AE", "MA"),
    "he": ("IL",),
    "hi": ("IN",),
    "id": ("ID",),
    "vi": ("VN",),
    "th": ("TH",),
}
_MOBILES_WITHOUT_PREFIX = frozenset(["CN"])


def find_phone(run: Sequence[DigitGroup], context: Context, language: str) -> Candidate | None:
    """Return the groups of a run that are a telephone number, or None.

    Args:
        language: BCP 47 primary tag of the words; empty counts as English.
    """
    regions = REGIONS.get(language or "en", ())
    called = context.speaks_of(PHONE_WORDS, run[0].first, run[-1].last) or context.is_a_number(run[0].first)
    whole = Candidate("".join(group.digits for group in run), tuple(run))
    # A digit may be misheard or missing.
    is_dialled = (
        whole.digits.startswith("0") and len(whole.digits) in DIALLED_LENGTHS and len(run) >= MIN_DIALLED_GROUPS
    )
    label = context.label(whole.first)
    shortest = MIN_LABELLED if label is Label.PHONE else LENGTHS.start
    may_be_one = is_dialled or (called and shortest <= len(whole.digits) <= MAX_PHONE)
    if label in (Label.OTHER, Label.CARD, Label.IBAN) and not any(group.plus for group in run):
        return None
    if may_be_one and not _is_excluded(whole, context):
        return whole
    for candidate in candidates(run, LENGTHS):
        if not _is_excluded(candidate, context) and _is_valid(candidate, regions, called=called):
            # Digits beside it that are no number of their own are rather part of it.
            return whole if len(whole.digits) <= MAX_PHONE and not _is_excluded(whole, context) else candidate
    return None


def _is_excluded(candidate: Candidate, context: Context) -> bool:
    if candidate.plus:
        return False
    if context.is_amount(candidate.first, candidate.last) or any(group.amount for group in candidate.groups):
        return True
    return is_counting(candidate.groups)


def _is_valid(candidate: Candidate, regions: Sequence[str], *, called: bool) -> bool:
    digits = candidate.digits
    if candidate.plus:
        return _parses(f"+{digits}", None, merely_possible=True)
    if digits.startswith("00"):
        return _parses(f"+{digits[2:]}", None)
    if digits.startswith("011") and "US" in regions and _parses(f"+{digits[3:]}", None):
        return True
    if called:
        return any(_has_length(digits, region) and _parses(digits, region) for region in regions)
    # Nobody calls it a telephone number: it must be written whole, with the prefix that its country dials.
    return len(digits) >= MIN_UNCALLED and any(
        digits.startswith(_trunk_prefix(region)) and _has_length(digits, region) and _parses(digits, region)
        for region in regions
    )


def _national_prefix(region: str) -> str:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return (metadata.national_prefix or "") if metadata is not None else ""


def _trunk_prefix(region: str) -> str:
    """Return what a national number begins with in a region; empty if nothing is sure."""
    return "0" if region not in _MOBILES_WITHOUT_PREFIX and _national_prefix(region) == "0" else ""


@cache
def _lengths(region: str) -> frozenset[int]:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    general = metadata.general_desc if metadata is not None else None
    return frozenset(general.possible_length if general is not None else ())


def _has_length(digits: str, region: str) -> bool:
    """Return whether the length is one of the region's; to know that takes less than to parse."""
    return bool({len(digits), len(digits.removeprefix(_national_prefix(region)))} & _lengths(region))


def _parses(number: str, region: str | None, *, merely_possible: bool = False) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
        return phonenumbers.is_possible_number(parsed) if merely_possible else phonenumbers.is_valid_number(parsed)
    except phonenumbers.NumberParseException:
        return False
