"""A conversation laid out along time: what every score of a stretch is computed from.

The whole meeting is the longest stretch, so that a score of the meeting and the same score of
a period come from the same code. Small enough to be stored beside the answers: any period can
be asked for later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, Protocol, TypedDict, TypeVar

from server.conversation import (
    ENGLISH,
    Conversation,
    Interval,
    Turn,
    Utterance,
    known_language,
    merge_intervals,
    turns,
    utterances,
)
from server.insights.text import Phrase, key_phrases
from server.insights.timeline.activation import activations

T = TypeVar("T", bound="_Timed")


class Window(NamedTuple):
    """A half-open stretch of the meeting."""

    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        return max(0, self.end_us - self.start_us)

    def holds(self, moment_us: int) -> bool:
        """True when the moment lies in it."""
        return self.start_us <= moment_us < self.end_us

    def overlap_us(self, start_us: int, end_us: int) -> int:
        """How much of start..end lies in it."""
        return max(0, min(self.end_us, end_us) - max(self.start_us, start_us))


class _Timed(Protocol):
    """Something with a start and an end."""

    @property
    def start_us(self) -> int: ...

    @property
    def end_us(self) -> int: ...


class InOrder(Generic[T]):
    """Things in the order of their starts, found by time: a period of a long meeting is read without the rest."""

    def __init__(self, things: Iterable[T]) -> None:
        self.things: Sequence[T] = sorted(things, key=lambda thing: (thing.start_us, thing.end_us))
        self._starts = [thing.start_us for thing in self.things]
        self._longest = max((thing.end_us - thing.start_us for thing in self.things), default=0)

    def reaching(self, window: Window) -> Sequence[T]:
        """Those that may overlap the window, and few others."""
        first = bisect_left(self._starts, window.start_us - self._longest)
        return self.things[first : bisect_left(self._starts, window.end_us)]

    def beginning(self, window: Window) -> range:
        """Places of those that begin within the window."""
        return range(bisect_left(self._starts, window.start_us), bisect_left(self._starts, window.end_us))


class LivelyUtterance(NamedTuple):
    """An utterance with its activation."""

    start_us: int
    end_us: int
    activation: float


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence as the scores see it."""

    speaker: int
    start_us: int
    end_us: int
    polarity: float | None
    """-1..1; None in another language than English, which no model of ours reads."""
    emotions: tuple[float, ...]
    """Probabilities in the order of EMOTIONS; empty where ``polarity`` is None."""
    phrases: tuple[int, ...]
    """Which of the timeline's phrases it holds, each as often as it does."""
    language: str = ""
    """Primary tag; empty where it is not known, or was not told apart when the meeting was analysed."""


class TimelineDocument(TypedDict):
    """A stored ``Timeline``: each list has the fields of one thing, in the order in which they are declared."""

    duration_us: int
    speakers: list[int]
    speech: list[list[Any]]
    """[speaker, [[start, end], ...]] of each, in microseconds."""
    activations: list[float | None]
    utterances: list[list[int]]
    sentences: list[list[Any]]
    """Those of earlier versions end before the language."""
    phrases: list[list[Any]]


@dataclass(frozen=True)
class Timeline:
    """Who speaks when, with what activation, and what was read in the words."""

    duration_us: int
    speakers: tuple[int, ...]
    speech: Mapping[int, tuple[Interval, ...]]
    """For each speaker when they speak, gaps under 0.2 s merged."""
    activations: tuple[float | None, ...]
    """Vocal activation of each utterance, 0..1; None where it cannot be told."""
    utterances: tuple[Utterance, ...]
    sentences: tuple[ReadSentence, ...]
    phrases: tuple[Phrase, ...]

    @property
    def whole(self) -> Window:
        """The whole meeting."""
        return Window(0, self.duration_us)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, in the order of time."""
        return turns(self.utterances)

    def speaking_us(self, speaker: int, window: Window) -> int:
        """Speaking time of ``speaker`` within the window."""
        return sum(window.overlap_us(*span) for span in self._speech_in_order[speaker].reaching(window))

    def speech_us(self, window: Window) -> int:
        """Time within the window in which at least one speaker speaks."""
        return sum(window.overlap_us(*span) for span in self._anyone.reaching(window))

    def sentences_in(self, window: Window) -> Iterator[tuple[ReadSentence, int]]:
        """The sentences that reach into the window, each with how long, in microseconds; one of no length counts 1."""
        for sentence in self._sentences_in_order.reaching(window):
            weight = window.overlap_us(sentence.start_us, max(sentence.end_us, sentence.start_us + 1))
            if weight:
                yield sentence, weight

    @cached_property
    def sentences_read(self) -> int:
        """How many sentences have a polarity."""
        return sum(sentence.polarity is not None for sentence in self.sentences)

    def activations_in(self, window: Window) -> Iterator[tuple[float, int]]:
        """The known activations of the utterances that reach into the window, each with how long, in microseconds."""
        for utterance in self._lively.reaching(window):
            yield utterance.activation, window.overlap_us(utterance.start_us, utterance.end_us)

    def utterances_begun(self, window: Window) -> int:
        """Utterances that begin within the window after another one."""
        return sum(place > 0 for place in self._utterances_in_order.beginning(window))

    def changes_in(self, window: Window) -> Iterator[tuple[Turn, Turn]]:
        """Each turn that begins within the window, after the one before it."""
        for place in self._turns_in_order.beginning(window):
            if place:
                yield self._turns_in_order.things[place - 1], self._turns_in_order.things[place]

    @cached_property
    def _anyone(self) -> InOrder[Interval]:
        return InOrder(merge_intervals(interval for spans in self.speech.values() for interval in spans))

    @cached_property
    def _speech_in_order(self) -> dict[int, InOrder[Interval]]:
        return {speaker: InOrder(spans) for speaker, spans in self.speech.items()}

    @cached_property
    def _sentences_in_order(self) -> InOrder[ReadSentence]:
        return InOrder(self.sentences)

    @cached_property
    def _utterances_in_order(self) -> InOrder[Utterance]:
        return InOrder(self.utterances)

    @cached_property
    def _turns_in_order(self) -> InOrder[Turn]:
        return InOrder(self.turns)

    @cached_property
    def _lively(self) -> InOrder[LivelyUtterance]:
        known = zip(self.utterances, self.activations, strict=True)
        return InOrder(LivelyUtterance(u.start_us, u.end_us, value) for u, value in known if value is not None)

    def to_document(self) -> TimelineDocument:
        """A JSON-able form; ``from_document`` is its inverse."""
        return {
            "duration_us": self.duration_us,
            "speakers": list(self.speakers),
            "speech": [[speaker, [list(span) for span in spans]] for speaker, spans in self.speech.items()],
            "activations": list(self.activations),
            "utterances": [[u.speaker, u.start_us, u.end_us] for u in self.utterances],
            "sentences": [
                [s.speaker, s.start_us, s.end_us, s.polarity, list(s.emotions), list(s.phrases), s.language]
                for s in self.sentences
            ],
            "phrases": [[p.text, p.weight, p.mentions] for p in self.phrases],
        }

    @classmethod
    def from_document(cls, document: TimelineDocument) -> Timeline:
        """Reads what ``to_document`` wrote, in this version or an earlier one."""
        return cls(
            duration_us=document["duration_us"],
            speakers=tuple(document["speakers"]),
            speech={speaker: tuple(Interval(*span) for span in spans) for speaker, spans in document["speech"]},
            activations=tuple(document["activations"]),
            utterances=tuple(Utterance(*fields) for fields in document["utterances"]),
            sentences=tuple(
                ReadSentence(speaker, start, end, polarity, tuple(emotions), tuple(phrases), *language)
                for speaker, start, end, polarity, emotions, phrases, *language in document["sentences"]
            ),
            phrases=tuple(Phrase(*fields) for fields in document["phrases"]),
        )


def timeline(conversation: Conversation) -> Timeline:
    """The timeline of a conversation. English sentences that no model has read are left out."""
    spoken = utterances(conversation)
    said = [
        (sentence, language)
        for sentence in conversation.sentences
        for language in [known_language(sentence.language, conversation.engine)]
        if language != ENGLISH or (sentence.emotions is not None and sentence.polarity is not None)
    ]
    phrases, places = key_phrases([s.text for s, _ in said], [language for _, language in said])
    return Timeline(
        duration_us=conversation.duration_us,
        speakers=conversation.speakers,
        speech={speaker: conversation.speech(speaker) for speaker in conversation.speakers},
        activations=activations(conversation, spoken),
        utterances=spoken,
        sentences=tuple(
            ReadSentence(s.speaker, s.start_us, s.end_us, s.polarity or 0.0, s.emotions or (), tuple(held), language)
            if language == ENGLISH
            else ReadSentence(s.speaker, s.start_us, s.end_us, None, (), tuple(held), language)
            for (s, language), held in zip(said, places, strict=True)
        ),
        phrases=phrases,
    )


def weighted_mean(values: Iterable[tuple[float, float]]) -> float | None:
    """Mean of (value, weight) pairs; None where the weights sum to 0."""
    total = weight_sum = 0.0
    for value, weight in values:
        total += value * weight
        weight_sum += weight
    return total / weight_sum if weight_sum > 0 else None
