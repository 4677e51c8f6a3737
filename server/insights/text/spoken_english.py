"""Sentences of spoken English as the rules read them: plain words, names of people, dates as they are said, assent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.conversation import AMBIGUOUS_NAMES, UNKNOWN_SPEAKER, Sentence, given_names

# Whoever assents begins to within this time.
MAX_ASSENT_DELAY_US = 6_000_000
# How many of the following sentences may hold the assent.
ASSENT_REACH = 5

_FILLERS = re.compile(r"\b(?:um+|uh+|er+m?|mm+|hmm+)\b,? ?", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_NUMBER = (
    r"(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty[- ]five|half an"
    r"|a couple of|a few)"
)
_DAY = (
    rf"(?:(?:this |next |the following |the coming )?{_WEEKDAY}(?: (?:morning|afternoon|evening|night))?"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|{_MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?"
    r"|the \d{1,2}(?:st|nd|rd|th)"
    r"|tomorrow(?: (?:morning|afternoon|evening|night))?|tonight|today|this (?:morning|afternoon|evening)"
    r"|(?:the |our )?next (?:meeting|week|month|time|quarter|year|session|sprint|day)|this (?:week|month|quarter)"
    rf"|(?:the )?end of (?:the |this |next )?(?:day|week|month|quarter|year|meeting|{_MONTH})"
    r"|noon|lunch(?:time)?|\d{1,2}(?::\d\d)? ?(?:a\.?m\.?|p\.?m\.?|o'clock)|the deadline|christmas|easter)"
)
# "for the next meeting" and "on Friday" say when; "may" alone and "the second" do not.
_DATE = re.compile(
    r"\b(?:(?:by|before|until|till|no later than|not later than|at|in|for|on|during) (?:the )?"
    rf"{_DAY}|by then|before then"
    rf"|(?:with)?in (?:the next )?{_NUMBER} (?:minute|hour|day|week|month)s?"
    rf"|(?:in|during|for) the next {_NUMBER} (?:minute|hour|day|week|month)s?"
    rf"|as soon as possible|(?:right |straight )?after (?:the|this) meeting|{_DAY})(?![\w'])",
    re.IGNORECASE,
)
_ASSENT = re.compile(
    r"^(?:(?:um|uh|oh|well|and|so|but),? )*(?:yeah|yes|yep|yup|okay|ok|kay|'kay|sure|alright|all right|right|agreed"
    r"|exactly|definitely|absolutely|fine|good|great|perfect|certainly|of course|no problem|that's (?:fine|good|right"
    r"|it|true)|sounds good|i agree|i think so|i will|i can|will do|mm-hmm|mm hmm|mhm)\b"
)
_NAME_BEFORE = re.compile(
    r"^(?:(?:so|okay|ok|and|well|now|then|also|right),? )*(?P<name>[^\W\d_]{2,}),?"
    r" (?=(?:you|can|could|would|will|please)\b)"
)
_NAME_AFTER = re.compile(r", (?P<name>[^\W\d_]{2,})[.?!]*$")


def plain(text: str) -> str:
    """Return a sentence as rules read it: lower case, straight apostrophes, without fillers and marks at its ends."""
    return _SPACES.sub(" ", _FILLERS.sub("", text.lower().replace("’", "'"))).strip(" ,.-?!")


def find_date(text: str) -> str | None:
    """Return the first phrase of a sentence that says by or until when, as it was said; None if there is none."""
    found = _DATE.search(_SPACES.sub(" ", text.replace("’", "'")))
    return found[0] if found else None


def as_name(word: str) -> str | None:
    """Return a word as the given name that it is; None if it is none, or may be an ordinary word."""
    lower = word.lower()
    return word.capitalize() if lower in given_names() and lower not in AMBIGUOUS_NAMES else None


def addressed_name(plain_text: str) -> str | None:
    """Return who is addressed by name in "Ann, could you ..." and "could you ..., Ann?"; None if nobody is."""
    for pattern in (_NAME_BEFORE, _NAME_AFTER):
        if (found := pattern.search(plain_text)) and (name := as_name(found["name"])):
            return name
    return None


def find_assent(sentences: Sequence[Sentence], place: int) -> int | None:
    """Return the place of the sentence by which somebody else assents to the one at ``place``; None if nobody does.

    It is the first one by somebody else that has words, begins within 6 s and is one of the next five.
    """
    said = sentences[place]
    for later in range(place + 1, min(place + 1 + ASSENT_REACH, len(sentences))):
        answer = sentences[later]
        if answer.start_us - said.end_us > MAX_ASSENT_DELAY_US:
            return None
        if answer.text and answer.speaker not in (said.speaker, UNKNOWN_SPEAKER):
            return later if _ASSENT.search(answer.text.lower()) else None
    return None
