"""What a family of answers is, and a meeting whose answers are being computed.

A family is one file that ends with its declaration: a name, the version of its definition, and the function that makes
its document of a meeting. The document is JSON-able, and speakers appear in it as their numbers within the meeting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypedDict, TypeVar, cast

from server.conversation import Conversation
from server.insights.text import Compared, comparable
from server.insights.timeline import Timeline, timeline

T = TypeVar("T")
Document = TypeVar("Document", bound=Mapping[str, object])
Document_co = TypeVar("Document_co", bound=Mapping[str, object], covariant=True)


class SummaryTexts(TypedDict):
    """The summaries of a meeting and of its speakers, whoever wrote them."""

    speakers: list[list[Any]]
    """[speaker, [sentence, ...]] of each."""
    meeting: list[str]
    method: str
    """``extractive``, or ``abstractive`` by a language model."""


@dataclass(frozen=True)
class Family(Generic[Document_co]):
    """One stored answer of every meeting, of the shape ``Document_co``."""

    name: str
    """What it is stored as."""
    version: str
    """Of the definition: raised when the same conversation gets another document."""
    compute: Callable[[MeetingFacts], Document_co]

    def typed(self, stored: Mapping[str, Any]) -> Document_co:
        """A stored document of this family; one of an earlier version lacks the keys that are NotRequired."""
        return cast("Document_co", stored)


class MeetingFacts:
    """A meeting while its answers are computed: what several of them need is computed once."""

    def __init__(self, conversation: Conversation, written: SummaryTexts | None = None) -> None:
        """``written``: the summaries that are stored or that a language model wrote, if any."""
        self.conversation = conversation
        self.written = written
        self._computed: dict[Callable[[MeetingFacts], Any], Any] = {}

    @cached_property
    def timeline(self) -> Timeline:
        """Who speaks when, and what was read in the words."""
        return timeline(self.conversation)

    @cached_property
    def compared(self) -> Compared:
        """The sentences of the meeting that can be compared with one another."""
        return comparable(self.conversation.sentences)

    def once(self, compute: Callable[[MeetingFacts], T]) -> T:
        """What ``compute`` makes of this meeting; whoever asks again gets the same."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return cast("T", self._computed[compute])

    def document(self, family: Family[Document]) -> Document:
        """The family's document of this meeting, for whoever stores it or makes another of it."""
        return self.once(family.compute)
