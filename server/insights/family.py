"""Families of answers, and the facts that they are computed from.

A family is one file that ends with its declaration: a name, the version of its definition, and the function that
computes its document for a meeting. Documents are JSON-compatible and name speakers by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypedDict, TypeVar, cast

from server.conversation import Conversation
from server.insights.text import ComparableSentences, comparable_sentences
from server.insights.timeline import Timeline, build_timeline

T = TypeVar("T")
Document = TypeVar("Document", bound=Mapping[str, object])
Document_co = TypeVar("Document_co", bound=Mapping[str, object], covariant=True)


class SummaryTexts(TypedDict):
    """Summaries of a meeting and its speakers, from any source."""

    speakers: list[list[Any]]
    """[speaker, [sentence, ...]] of each."""
    meeting: list[str]
    method: str
    """``extractive``, or ``abstractive`` from a language model."""


class WrittenLine(TypedDict):
    """A line by a language model, with the numbers of the sentences that it rests on: ascending, at least one."""

    text: str
    sentences: list[int]


class WrittenChapter(TypedDict):
    """A chapter by a language model."""

    title: str
    start_ms: int
    points: list[WrittenLine]


class WrittenItem(WrittenLine):
    """An action item by a language model."""

    owner: int | None
    """Number of a sentence by whoever is to do it; None if that is no speaker. It holds when speakers are corrected."""
    person: str | None
    """Who is to do it, as named; None if no name is said."""
    due: str | None
    """Until when, as said; None if nothing is said of it."""


class WrittenNotes(TypedDict, total=False):
    """The parts of notes that a language model wrote; a missing one is extracted."""

    summary: list[WrittenLine]
    chapters: list[WrittenChapter]
    """In time order; the first one begins with the meeting."""
    action_items: list[WrittenItem]
    decisions: list[WrittenLine]


@dataclass(frozen=True)
class Family(Generic[Document_co]):
    """One stored answer per meeting, of the shape ``Document_co``."""

    name: str
    """Storage key."""
    version: str
    """Version of the definition: raised when the same conversation yields another document."""
    compute: Callable[[MeetingFacts], Document_co]
    quotes: bool = True
    """Whether the document holds words of the meeting: then it goes with the transcript."""

    def typed(self, stored: Mapping[str, Any]) -> Document_co:
        """Return a stored document with its type; keys marked NotRequired are missing in earlier versions."""
        return cast("Document_co", stored)


class MeetingFacts:
    """A meeting during the computation of its answers; shared intermediate results are computed once."""

    def __init__(
        self, conversation: Conversation, summaries: SummaryTexts | None = None, notes: WrittenNotes | None = None
    ) -> None:
        """
        Args:
            summaries: summaries that are stored or come from a language model, if any.
            notes: notes by a language model, if any.
        """
        self.conversation = conversation
        self.summaries = summaries
        self.notes = notes
        self._computed: dict[Callable[[MeetingFacts], Any], Any] = {}

    @cached_property
    def timeline(self) -> Timeline:
        """The timeline of the conversation."""
        return build_timeline(self.conversation)

    @cached_property
    def comparable_sentences(self) -> ComparableSentences:
        """The meeting's sentences with comparable embeddings."""
        return comparable_sentences(self.conversation.spoken_sentences)

    def cached(self, compute: Callable[[MeetingFacts], T]) -> T:
        """Return ``compute(self)``, cached per function."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return cast("T", self._computed[compute])

    def document(self, family: Family[Document]) -> Document:
        """Return the family's document for this meeting, cached."""
        return self.cached(family.compute)
