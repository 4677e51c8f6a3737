"""Speaker names from English speech: introductions, and being addressed by name.

Each mention assigns a name to a speaker with a weight; a name that clearly belongs to one speaker becomes their alias,
with a confidence. It is a guess until someone confirms it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from server.conversation import (
    AMBIGUOUS_NAMES,
    ENGLISH,
    UNKNOWN_SPEAKER,
    Conversation,
    Sentence,
    given_names,
    resolve_language,
)

# Evidence weights: an introduction is explicit; answering after a name is a hint.
INTRODUCED, ADDRESSED, THANKED = 4.0, 1.0, 1.0
MIN_WEIGHT = 2.0
MIN_CONFIDENCE = 0.6
# The next speaker is the addressed one only if they start within this time.
MAX_ANSWER_DELAY_US = 5_000_000

_NAME = r"(?P<name>[^\W\d_]{2,})"
_INTRODUCTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:my name is|my name's|my names|they call me|you can call me|call me) {_NAME}\b",
        rf"\b(?:i am|i'm|im|this is|it's) {_NAME}(?: (?:here|speaking|from|and i|and i'm|the)\b|[.,!]|$)",
        rf"^(?:hi|hello|hey|good morning|good afternoon)?,? ?{_NAME} (?:here|speaking)\b",
    )
)
_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^(?:so|okay|ok|and|well|now|hi|hello|hey|right)?,? ?{_NAME},?"
        r" (?:what|how|could|can|would|do|did|are|is|will|please)\b",
        rf"\b(?:over to you|go ahead|what about you|how about you|your turn|what do you think),? {_NAME}[.?!]?$",
        rf"^(?:hi|hello|hey|welcome|good morning|good afternoon),? {_NAME}[.,!]?",
        rf",? {_NAME}\?$",
    )
)
_THANKS = tuple(
    re.compile(pattern) for pattern in (rf"\b(?:thanks|thank you)(?: so much| very much| a lot)?,? {_NAME}\b",)
)
# Unambiguous contexts: only a name can follow these words.
_CERTAIN = re.compile(r"\b(?:my name is|my name's|they call me|you can call me)\b")


@dataclass(frozen=True, slots=True)
class NamedSpeaker:
    """A guessed speaker name."""

    speaker: int
    name: str
    confidence: float
    """Agreeing share of the evidence on this name and this speaker, 0..1."""


def find_speaker_names(conversation: Conversation) -> tuple[NamedSpeaker, ...]:
    """Return the speakers whose names are clear from the words, each name and speaker at most once.

    "I'm Daniel" names its speaker. "Daniel, what do you think?" names the next speaker within 5 s. "Thanks, Daniel"
    names the next speaker within 5 s or, if the same speaker continues, the previous one. Names that are ordinary words
    as well ("will", "grace") count only after "my name is". Sentences in other languages are ignored, since patterns
    and names are English.
    """
    votes: defaultdict[tuple[int, str], float] = defaultdict(float)
    known = [s for s in conversation.spoken_sentences if s.speaker != UNKNOWN_SPEAKER]
    for index, sentence in enumerate(known):
        if resolve_language(sentence.language, conversation.engine) != ENGLISH:
            continue
        text = sentence.text.lower().replace("’", "'")
        for name in _find_names(_INTRODUCTIONS, text):
            votes[sentence.speaker, name] += INTRODUCED
        for name in _find_names(_ADDRESSES, text):
            answering = _next_speaker(known, index)
            if answering is not None:
                votes[answering, name] += ADDRESSED
        for name in _find_names(_THANKS, text):
            thanked = _next_speaker(known, index)
            if thanked is None:
                thanked = _speaker_before(known, index)
            if thanked is not None:
                votes[thanked, name] += THANKED
    return _choose_names(votes)


def mentioned_names(conversation: Conversation) -> set[str]:
    """Return all names by which somebody is introduced, addressed or thanked, whoever it is.

    As ``find_speaker_names``, without deciding whose name it is: enough to keep a name from being shown.
    """
    return {
        name
        for sentence in conversation.sentences
        if resolve_language(sentence.language, conversation.engine) == ENGLISH
        for patterns in (_INTRODUCTIONS, _ADDRESSES, _THANKS)
        for name in _find_names(patterns, sentence.text.lower().replace("’", "'"))
    }


def _find_names(patterns: Sequence[re.Pattern[str]], text: str) -> set[str]:
    found = set()
    for pattern in patterns:
        for match in pattern.finditer(text):
            name = match["name"]
            if name in given_names() or (name in AMBIGUOUS_NAMES and _CERTAIN.search(text)):
                found.add(name.capitalize())
    return found


def _next_speaker(known: Sequence[Sentence], index: int) -> int | None:
    """Return the next sentence's speaker if it is another one, within 5 s."""
    if index + 1 == len(known):
        return None
    following, current = known[index + 1], known[index]
    answers = following.start_us - current.end_us <= MAX_ANSWER_DELAY_US
    return following.speaker if answers and following.speaker != current.speaker else None


def _speaker_before(known: Sequence[Sentence], index: int) -> int | None:
    for sentence in reversed(known[:index]):
        if sentence.speaker != known[index].speaker:
            return sentence.speaker
    return None


def _choose_names(votes: dict[tuple[int, str], float]) -> tuple[NamedSpeaker, ...]:
    weight_by_name: defaultdict[str, float] = defaultdict(float)
    weight_by_speaker: defaultdict[int, float] = defaultdict(float)
    for (speaker, name), weight in votes.items():
        weight_by_name[name] += weight
        weight_by_speaker[speaker] += weight
    chosen: list[NamedSpeaker] = []
    for (speaker, name), weight in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        confidence = weight / (weight_by_name[name] + weight_by_speaker[speaker] - weight)
        already_named = any(name == other.name or speaker == other.speaker for other in chosen)
        if weight >= MIN_WEIGHT and confidence >= MIN_CONFIDENCE and not already_named:
            chosen.append(NamedSpeaker(speaker, name, round(confidence, 3)))
    return tuple(sorted(chosen, key=lambda named: named.speaker))
