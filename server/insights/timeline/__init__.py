"""The timeline of a conversation: speech in any window, and the support for measurements on it."""

from server.insights.timeline.english_only import (
    absence_reason,
    analysed_sentences_note,
    format_languages,
    left_out_languages_note,
)
from server.insights.timeline.periods import DEFAULT_PERIOD_S, MIN_PERIOD_S, max_period_s, periods
from server.insights.timeline.support import MINIMUM_SPEECH_S, Support, SupportDocument, compute_support
from server.insights.timeline.timeline import (
    TimeIndex,
    Timeline,
    TimelineDocument,
    TimelineSentence,
    Window,
    build_timeline,
    weighted_mean,
)

__all__ = [
    "DEFAULT_PERIOD_S",
    "TimeIndex",
    "TimelineSentence",
    "MINIMUM_SPEECH_S",
    "MIN_PERIOD_S",
    "Support",
    "SupportDocument",
    "Timeline",
    "TimelineDocument",
    "Window",
    "absence_reason",
    "left_out_languages_note",
    "format_languages",
    "max_period_s",
    "periods",
    "analysed_sentences_note",
    "compute_support",
    "build_timeline",
    "weighted_mean",
]
