"""A finished meeting as its documents show it: people by name, statements, words, speech and the report."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from server.conversation import UNKNOWN_SPEAKER
from server.insights import QualityDocument, SentenceDocument, TimelineDocument, TranscriptDocument, WordDocument

UNKNOWN_NAME = "Unknown"
_NOT_XML = {
    code: None for code in (*range(0x20), 0x7F, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF) if code not in (9, 10, 13)
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something of one speaker, with its time in milliseconds from the start of the meeting."""

    start_ms: int
    end_ms: int
    speaker: int
    text: str = ""
    confidence: float | None = None
    """The recogniser's confidence, 0..1; None if it gives none, or for anything but a word."""
    corrected: bool = False
    """Whether words or speaker of something in it were corrected by hand; statements alone say so."""

    @property
    def duration_ms(self) -> int:
        """The length, milliseconds."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class CorrectedSentence:
    """A sentence that was corrected by hand."""

    start_ms: int
    speaker: int
    text: str
    original_text: str | None
    """What the recogniser wrote; None where the words were not corrected."""
    original_speaker: int | None
    """Whose it was; None where it was not moved."""


@dataclass(frozen=True)
class DocumentedMeeting:
    """A finished meeting; everything in the order of time."""

    file_hash: str
    name: str
    held_on: str
    """ISO 8601; empty if unknown."""
    duration_ms: int
    language: str
    """BCP 47 primary tag of the language spoken most; empty if unknown."""
    notice: str
    """What a reader must know first; empty if nothing."""
    reliable: bool
    """Whether the words are a record, or only a hint."""
    names: Mapping[int, str]
    """The name of each speaker; those who said nothing included. No two are equal."""
    statements: tuple[Stretch, ...]
    """Neighbouring sentences of one speaker."""
    corrections: tuple[CorrectedSentence, ...]
    words: tuple[Stretch, ...]
    speech: tuple[Stretch, ...]
    """When each speaker speaks, without texts."""
    quality: QualityDocument

    def name_of(self, speaker: int) -> str:
        """Return a speaker's name."""
        return self.names.get(speaker, UNKNOWN_NAME)

    def by_speaker(self, stretches: Iterable[Stretch]) -> dict[int, list[Stretch]]:
        """Return the stretches of each speaker who has any, in the order of their numbers, the unknown one last."""
        parts = sorted(stretches, key=lambda part: (part.speaker == UNKNOWN_SPEAKER, part.speaker, part.start_ms))
        return {speaker: list(own) for speaker, own in groupby(parts, key=lambda part: part.speaker)}


def distinct_names(names: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Return names by speaker, each on one line; of equal ones, all but the first carry their speaker's number."""
    distinct = dict[int, str]()
    for speaker, name in names:
        shown = " ".join(name.split()) or f"{UNKNOWN_NAME} ({speaker})"
        distinct[speaker] = unused_name(shown, speaker, {UNKNOWN_NAME, *distinct.values()})
    return distinct


def unused_name(name: str, speaker: int, used: Container[str]) -> str:
    """Return a name, with its speaker's number as often as it takes to be none of those ``used``."""
    while name in used:
        name = f"{name} ({speaker})"
    return name


def seconds(milliseconds: int) -> str:
    """Format milliseconds as seconds with three decimals."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def xml_text(text: str) -> str:
    """Return a text without what XML 1.0 does not allow, not even escaped."""
    return text.translate(_NOT_XML)


def timed_words(words: Iterable[WordDocument]) -> tuple[Stretch, ...]:
    """Return stored words, each on one line, without those that are blank."""
    found = (
        Stretch(word["start_ms"], max(word["start_ms"], word["end_ms"]), word["speaker"], text, word["confidence"])
        for word in words
        if (text := " ".join(word["text"].split()))
    )
    return tuple(sorted(found, key=lambda word: (word.start_ms, word.end_ms)))


def timed_speech(timeline: TimelineDocument) -> tuple[Stretch, ...]:
    """Return when each speaker speaks."""
    found = (
        Stretch(start // 1000, end // 1000, speaker) for speaker, spans in timeline["speech"] for start, end in spans
    )
    return tuple(sorted(found, key=lambda part: (part.start_ms, part.end_ms, part.speaker)))


def corrected_sentences(sentences: Iterable[SentenceDocument]) -> tuple[CorrectedSentence, ...]:
    """Return the stored sentences that were corrected by hand."""
    return tuple(
        CorrectedSentence(
            one["start_ms"], one["speaker"], one["text"], one.get("original_text"), one.get("original_speaker")
        )
        for one in sentences
        if "original_text" in one or "original_speaker" in one
    )


def timed_statements(
    transcript: TranscriptDocument, words: Sequence[Stretch], corrections: Iterable[CorrectedSentence] = ()
) -> tuple[Stretch, ...]:
    """Return the statements, each up to the end of its last word.

    A statement's words and sentences are those of its speaker that begin before the speaker's next statement.
    """
    corrected: dict[int, list[int]] = {}
    for one in corrections:
        corrected.setdefault(one.speaker, []).append(one.start_ms)
    own_words: dict[int, list[Stretch]] = {}
    for word in words:
        own_words.setdefault(word.speaker, []).append(word)
    next_start: dict[int, int] = {}
    found = []
    for entry in reversed(transcript["entries"]):
        speaker, start_ms = entry["speaker"], entry["start_ms"]
        said = own_words.get(speaker, [])
        begun = bisect_left(said, start_ms, key=lambda word: word.start_ms)
        until = (
            bisect_left(said, next_start[speaker], key=lambda word: word.start_ms) if speaker in next_start else None
        )
        end_ms = max((word.end_ms for word in said[begun:until]), default=start_ms)
        is_corrected = any(
            start_ms <= begin and (speaker not in next_start or begin < next_start[speaker])
            for begin in corrected.get(speaker, ())
        )
        text = " ".join(entry["text"].split())
        found.append(Stretch(start_ms, end_ms, speaker, text, corrected=is_corrected))
        next_start[speaker] = start_ms
    return tuple(reversed(found))
