"""Which words of a conversation make which of its sentences."""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import groupby
from typing import NamedTuple

from server.conversation.conversation import Conversation
from server.conversation.languages import resolve_language


class WordPlace(NamedTuple):
    """A word by its segment and its place in it."""

    segment: int
    """Index in ``Conversation.segments``."""
    word: int


def find_sentence_words(conversation: Conversation) -> tuple[tuple[WordPlace, ...], ...]:
    """Return the words of each sentence of a conversation as it was analysed, without corrections.

    Sentences were made of the consecutive segments of one speaker and language (``split_sentences``); each begins with
    a word whose segment and start it keeps.
    """
    beginnings: defaultdict[tuple[int, int], deque[int]] = defaultdict(deque)
    for index, sentence in enumerate(conversation.sentences):
        beginnings[sentence.segment_id, sentence.start_us].append(index)
    found: list[list[WordPlace]] = [[] for _ in conversation.sentences]
    spoken = [(place, segment) for place, segment in enumerate(conversation.segments) if segment.words]
    for _, run in groupby(
        spoken, key=lambda item: (item[1].speaker, resolve_language(item[1].language, conversation.engine))
    ):
        current: int | None = None
        for place, segment in run:
            for number, word in enumerate(segment.words):
                begun = beginnings.get((segment.segment_id, word.start_us))
                if begun:
                    current = begun.popleft()
                if current is not None:
                    found[current].append(WordPlace(place, number))
    return tuple(tuple(places) for places in found)
