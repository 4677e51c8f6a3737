"""The domain: a conversation, its segments, words, utterances and turns, and the fold that makes it from events."""

from server.conversation.conversation import (
    Conversation,
    Engine,
    Interval,
    Segment,
    Word,
    merge_intervals,
)
from server.conversation.fold import FinishedEvent, ReadyEvent, TurnEvent, TurnState, fold
from server.conversation.utterances import Exchange, Turn, Utterance, exchanges, turns, utterances

__all__ = [
    "Conversation",
    "Engine",
    "Exchange",
    "FinishedEvent",
    "Interval",
    "ReadyEvent",
    "Segment",
    "Turn",
    "TurnEvent",
    "TurnState",
    "Utterance",
    "Word",
    "exchanges",
    "fold",
    "merge_intervals",
    "turns",
    "utterances",
]
