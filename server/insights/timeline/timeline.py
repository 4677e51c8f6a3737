"""The conversation on a time axis: the input of all windowed scores.

The whole meeting is the largest window, so that its scores and those of periods share their code. The timeline is small
enough to be stored beside the answers, for periods requested later.
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
    find_turns,
    find_utterances,
    merge_intervals,
    resolve_language,
)
from server.insights.text import Phrase, extract_key_phrases
from server.insights.timeline.activation import compute_activations

T = TypeVar("T", bound="_Timed")


class Window(NamedTuple):
    """A half-open time span of the meeting."""

    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        """Length in microseconds."""
        return max(0, self.end_us - self.start_us)

    def contains(self, moment_us: int) -> bool:
        """Return whether the moment lies in the window."""
        return self.start_us <= moment_us < self.end_us

    def overlap_us(self, start_us: int, end_us: int) -> int:
        """Return the overlap of start..end with the window, microseconds."""
        return max(0, min(self.end_us, end_us) - max(self.start_us, start_us))


class _Timed(Protocol):
    """Anything with a start and an end."""

    @property
    def start_us(self) -> int: ...

    @property
    def end_us(self) -> int: ...


class TimeIndex(Generic[T]):
    """Items sorted by start time, with fast lookup by window."""

    def __init__(self, items: Iterable[T]) -> None:
        self.items: Sequence[T] = sorted(items, key=lambda item: (item.start_us, item.end_us))
        self._starts = [item.start_us for item in self.items]
        self._max_duration_us = max((item.end_us - item.start_us for item in self.items), default=0)

    def overlapping(self, window: Window) -> Sequence[T]:
        """Return all items that overlap the window, and possibly a few others."""
        first = bisect_left(self._starts, window.start_us - self._max_duration_us)
        return self.items[first : bisect_left(self._starts, window.end_us)]

    def starting_in(self, window: Window) -> range:
        """Return the indices of items that start in the window."""
        return range(bisect_left(self._starts, window.start_us), bisect_left(self._starts, window.end_us))


class UtteranceActivation(NamedTuple):
    """An utterance with its activation."""

    start_us: int
    end_us: int
    activation: float


@dataclass(frozen=True, slots=True)
class TimelineSentence:
    """A sentence as the scores use it."""

    speaker: int
    start_us: int
    end_us: int
    polarity: float | None
    """-1..1; None in languages other than English, which no model analyses."""
    emotions: tuple[float, ...]
    """Probabilities in the order of EMOTIONS; empty if ``polarity`` is None."""
    phrases: tuple[int, ...]
    """Indices of the timeline's phrases that it contains, with repetitions."""
    language: str = ""
    """BCP 47 primary tag; empty if unknown, or from an early version."""


class TimelineDocument(TypedDict):
    """A stored ``Timeline``; each inner list has an item's fields in the order of declaration."""

    duration_us: int
    speakers: list[int]
    speech: list[list[Any]]
    """[speaker, [[start, end], ...]] of each, microseconds."""
    activations: list[float | None]
    utterances: list[list[int]]
    sentences: list[list[Any]]
    """In early versions without the language."""
    phrases: list[list[Any]]


@dataclass(frozen=True)
class Timeline:
    """Speech, activation, utterances and analysed sentences over time."""

    duration_us: int
    speakers: tuple[int, ...]
    speech: Mapping[int, tuple[Interval, ...]]
    """Spans of speech by speaker, with gaps under 0.2 s merged."""
    activations: tuple[float | None, ...]
    """Vocal activation of each utterance, 0..1; None if unknown."""
    utterances: tuple[Utterance, ...]
    sentences: tuple[TimelineSentence, ...]
    phrases: tuple[Phrase, ...]

    @property
    def full_window(self) -> Window:
        """The whole meeting."""
        return Window(0, self.duration_us)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, in time order."""
        return find_turns(self.utterances)

    def speaking_us(self, speaker: int, window: Window) -> int:
        """Return a speaker's speaking time in the window, microseconds."""
        return sum(window.overlap_us(*span) for span in self._speech_by_speaker[speaker].overlapping(window))

    def speech_us(self, window: Window) -> int:
        """Return the time with at least one speaker in the window, microseconds."""
        return sum(window.overlap_us(*span) for span in self._speech_index.overlapping(window))

    def sentences_in(self, window: Window) -> Iterator[tuple[TimelineSentence, int]]:
        """Yield the sentences that overlap the window with the overlap in microseconds, at least 1."""
        for sentence in self._sentence_index.overlapping(window):
            weight = window.overlap_us(sentence.start_us, max(sentence.end_us, sentence.start_us + 1))
            if weight:
                yield sentence, weight

    @cached_property
    def analysed_sentences(self) -> int:
        """Number of sentences with a polarity."""
        return sum(sentence.polarity is not None for sentence in self.sentences)

    def activations_in(self, window: Window) -> Iterator[tuple[float, int]]:
        """Yield the known activations of utterances that overlap the window, with the overlap in microseconds."""
        for utterance in self._activation_index.overlapping(window):
            yield utterance.activation, window.overlap_us(utterance.start_us, utterance.end_us)

    def count_utterance_starts(self, window: Window) -> int:
        """Count the utterances that start in the window, except the meeting's first."""
        return sum(index > 0 for index in self._utterance_index.starting_in(window))

    def speaker_changes(self, window: Window) -> Iterator[tuple[Turn, Turn]]:
        """Yield (previous turn, turn) for each turn that starts in the window, except the meeting's first."""
        for index in self._turn_index.starting_in(window):
            if index:
                yield self._turn_index.items[index - 1], self._turn_index.items[index]

    @cached_property
    def _speech_index(self) -> TimeIndex[Interval]:
        return TimeIndex(merge_intervals(interval for spans in self.speech.values() for interval in spans))

    @cached_property
    def _speech_by_speaker(self) -> dict[int, TimeIndex[Interval]]:
        return {speaker: TimeIndex(spans) for speaker, spans in self.speech.items()}

    @cached_property
    def _sentence_index(self) -> TimeIndex[TimelineSentence]:
        return TimeIndex(self.sentences)

    @cached_property
    def _utterance_index(self) -> TimeIndex[Utterance]:
        return TimeIndex(self.utterances)

    @cached_property
    def _turn_index(self) -> TimeIndex[Turn]:
        return TimeIndex(self.turns)

    @cached_property
    def _activation_index(self) -> TimeIndex[UtteranceActivation]:
        known = zip(self.utterances, self.activations, strict=True)
        return TimeIndex(UtteranceActivation(u.start_us, u.end_us, value) for u, value in known if value is not None)

    def to_document(self) -> TimelineDocument:
        """Return JSON-compatible values; ``from_document`` is the inverse."""
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
        """Rebuild a timeline from ``to_document``'s output, of this version or an earlier one."""
        return cls(
            duration_us=document["duration_us"],
            speakers=tuple(document["speakers"]),
            speech={speaker: tuple(Interval(*span) for span in spans) for speaker, spans in document["speech"]},
            activations=tuple(document["activations"]),
            utterances=tuple(Utterance(*fields) for fields in document["utterances"]),
            sentences=tuple(
                TimelineSentence(speaker, start, end, polarity, tuple(emotions), tuple(phrases), *language)
                for speaker, start, end, polarity, emotions, phrases, *language in document["sentences"]
            ),
            phrases=tuple(Phrase(*fields) for fields in document["phrases"]),
        )


def build_timeline(conversation: Conversation) -> Timeline:
    """Return the timeline of a conversation; English sentences that were not analysed are left out."""
    spoken = find_utterances(conversation)
    sentences = [
        (sentence, language)
        for sentence in conversation.spoken_sentences
        for language in [resolve_language(sentence.language, conversation.engine)]
        if language != ENGLISH or (sentence.emotions is not None and sentence.polarity is not None)
    ]
    phrases, phrases_by_sentence = extract_key_phrases(
        [s.text for s, _ in sentences], [language for _, language in sentences]
    )
    return Timeline(
        duration_us=conversation.duration_us,
        speakers=conversation.speakers,
        speech={speaker: conversation.speech(speaker) for speaker in conversation.speakers},
        activations=compute_activations(conversation, spoken),
        utterances=spoken,
        sentences=tuple(
            TimelineSentence(
                s.speaker, s.start_us, s.end_us, s.polarity or 0.0, s.emotions or (), tuple(phrase_indices), language
            )
            if language == ENGLISH
            else TimelineSentence(s.speaker, s.start_us, s.end_us, None, (), tuple(phrase_indices), language)
            for (s, language), phrase_indices in zip(sentences, phrases_by_sentence, strict=True)
        ),
        phrases=phrases,
    )


def weighted_mean(values: Iterable[tuple[float, float]]) -> float | None:
    """Return the mean of (value, weight) pairs; None if the weights sum to 0."""
    total = weight_sum = 0.0
    for value, weight in values:
        total += value * weight
        weight_sum += weight
    return total / weight_sum if weight_sum > 0 else None
