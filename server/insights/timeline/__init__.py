"""The timeline of a conversation: speech in any window, and the support for measurements on it."""

from server.insights.timeline.english_only import absence, left_out, listed_languages, sentences_note
from server.insights.timeline.periods import DEFAULT_PERIOD_S, MIN_PERIOD_S, longest_period_s, periods
from server.insights.timeline.support import Support, SupportDocument, support_of
from server.insights.timeline.timeline import (
    InOrder,
    ReadSentence,
    Timeline,
    TimelineDocument,
    Window,
    timeline,
    weighted_mean,
)

__all__ = [
    "DEFAULT_PERIOD_S",
    "InOrder",
    "ReadSentence",
    "MIN_PERIOD_S",
    "Support",
    "SupportDocument",
    "Timeline",
    "TimelineDocument",
    "Window",
    "absence",
    "left_out",
    "listed_languages",
    "longest_period_s",
    "periods",
    "sentences_note",
    "support_of",
    "timeline",
    "weighted_mean",
]
