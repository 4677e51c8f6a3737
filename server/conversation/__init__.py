"""The domain: conversations, segments, words, utterances and turns, and the fold that builds them from events."""

from server.conversation.conversation import (
    EMOTIONS,
    UNKNOWN_SPEAKER,
    Acoustics,
    Conversation,
    EngineCapabilities,
    Interval,
    Segment,
    Sentence,
    Word,
    merge_intervals,
)
from server.conversation.copies import FRAME_US, Heard, leave_out_copies, own_parts, part_id
from server.conversation.edits import Edit, Merge, Split, apply_edits, edit_from_document, edit_to_document
from server.conversation.fold import Event, FinishedEvent, ReadyEvent, TurnEvent, TurnState, fold
from server.conversation.given_names import AMBIGUOUS_NAMES, given_names
from server.conversation.language_names import language_display_name
from server.conversation.languages import (
    ENGLISH,
    most_spoken_language,
    primary_tag,
    resolve_language,
    speech_us_by_language,
    weighted_confidence,
)
from server.conversation.question_form import is_question
from server.conversation.redaction_kinds import (
    PLACEHOLDER,
    RedactionKind,
    format_redaction_kinds,
    parse_redaction_kinds,
)
from server.conversation.sentences import find_punctuated_languages, split_sentences
from server.conversation.tracks import (
    TrackConversation,
    meeting_segment_id,
    merge_tracks,
    segment_track_index,
    shift_word,
)
from server.conversation.utterances import (
    BACK_CHANNEL_US,
    UTTERANCE_GAP_US,
    Turn,
    Utterance,
    find_turns,
    find_utterances,
)
from server.conversation.writing import (
    COMBINING_MARKS,
    UNSPACED_SCRIPTS,
    count_words,
    ends_sentence,
    join_sentences,
    join_words,
    uses_spaces,
)

__all__ = [
    "AMBIGUOUS_NAMES",
    "Acoustics",
    "BACK_CHANNEL_US",
    "Conversation",
    "EMOTIONS",
    "ENGLISH",
    "Edit",
    "EngineCapabilities",
    "Event",
    "FRAME_US",
    "FinishedEvent",
    "Heard",
    "TrackConversation",
    "Interval",
    "COMBINING_MARKS",
    "Merge",
    "PLACEHOLDER",
    "ReadyEvent",
    "RedactionKind",
    "format_redaction_kinds",
    "parse_redaction_kinds",
    "Segment",
    "Sentence",
    "Split",
    "UNSPACED_SCRIPTS",
    "Turn",
    "TurnEvent",
    "TurnState",
    "UNKNOWN_SPEAKER",
    "UTTERANCE_GAP_US",
    "Utterance",
    "Word",
    "apply_edits",
    "fold",
    "edit_from_document",
    "ends_sentence",
    "given_names",
    "is_question",
    "leave_out_copies",
    "own_parts",
    "part_id",
    "merge_tracks",
    "join_sentences",
    "join_words",
    "resolve_language",
    "merge_intervals",
    "most_spoken_language",
    "shift_word",
    "language_display_name",
    "segment_track_index",
    "primary_tag",
    "find_punctuated_languages",
    "meeting_segment_id",
    "split_sentences",
    "uses_spaces",
    "speech_us_by_language",
    "edit_to_document",
    "find_turns",
    "find_utterances",
    "weighted_confidence",
    "count_words",
]
