"""Documents of a finished meeting: subtitles, readable texts, tables, and annotations for other tools."""

from server.documents.formats import FORMATS
from server.documents.meeting import (
    DocumentedMeeting,
    corrected_sentences,
    distinct_names,
    timed_speech,
    timed_statements,
    timed_words,
)

__all__ = [
    "FORMATS",
    "DocumentedMeeting",
    "corrected_sentences",
    "distinct_names",
    "timed_speech",
    "timed_statements",
    "timed_words",
]
