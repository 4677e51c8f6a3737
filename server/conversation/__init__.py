"""The domain: a conversation, its segments, words, utterances and turns, and the fold that makes it from events."""

from server.conversation.conversation import (
    EMOTIONS,
    UNKNOWN_SPEAKER,
    Acoustics,
    Conversation,
    Engine,
    Interval,
    Segment,
    Sentence,
    Word,
    merge_intervals,
)
from server.conversation.edits import Edit, Merge, Split, edited
from server.conversation.fold import FinishedEvent, ReadyEvent, TurnEvent, TurnState, fold
from server.conversation.sentences import sentences_of
from server.conversation.utterances import Turn, Utterance, turns, utterances

__all__ = [
    "EMOTIONS",
    "UNKNOWN_SPEAKER",
    "Acoustics",
    "Conversation",
    "Edit",
    "Engine",
    "FinishedEvent",
    "Interval",
    "Merge",
    "ReadyEvent",
    "Segment",
    "Sentence",
    "Split",
    "Turn",
    "TurnEvent",
    "TurnState",
    "Utterance",
    "Word",
    "edited",
    "fold",
    "merge_intervals",
    "sentences_of",
    "turns",
    "utterances",
]
