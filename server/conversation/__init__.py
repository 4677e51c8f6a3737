"""The domain: conversations, segments, words, utterances and turns, and the fold that builds them from events."""

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
from server.conversation.edits import Edit, Merge, Split, edited, from_document, to_document
from server.conversation.fold import Event, FinishedEvent, ReadyEvent, TurnEvent, TurnState, fold
from server.conversation.given_names import AMBIGUOUS, given_names
from server.conversation.language_names import named_language
from server.conversation.languages import (
    ENGLISH,
    known_language,
    most_spoken,
    primary_tag,
    spoken_us,
    weighted_confidence,
)
from server.conversation.question_form import is_question
from server.conversation.sentences import punctuated_languages, sentences_of
from server.conversation.tracks import HeardTrack, joined, moved_word, place_of_segment, segment_name
from server.conversation.utterances import Turn, Utterance, turns, utterances
from server.conversation.writing import MARKS, TIGHT, joined_sentences, spaced, word_count

__all__ = [
    "AMBIGUOUS",
    "Acoustics",
    "Conversation",
    "EMOTIONS",
    "ENGLISH",
    "Edit",
    "Engine",
    "Event",
    "FinishedEvent",
    "HeardTrack",
    "Interval",
    "MARKS",
    "Merge",
    "ReadyEvent",
    "Segment",
    "Sentence",
    "Split",
    "TIGHT",
    "Turn",
    "TurnEvent",
    "TurnState",
    "UNKNOWN_SPEAKER",
    "Utterance",
    "Word",
    "edited",
    "fold",
    "from_document",
    "given_names",
    "is_question",
    "joined",
    "joined_sentences",
    "known_language",
    "merge_intervals",
    "most_spoken",
    "moved_word",
    "named_language",
    "place_of_segment",
    "primary_tag",
    "punctuated_languages",
    "segment_name",
    "sentences_of",
    "spaced",
    "spoken_us",
    "to_document",
    "turns",
    "utterances",
    "weighted_confidence",
    "word_count",
]
