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
from server.documents.transcriptions import (
    SEGMENTS,
    WORDS,
    to_diarized_transcription,
    to_transcription_text,
    to_verbose_transcription,
)

__all__ = [
    "FORMATS",
    "SEGMENTS",
    "WORDS",
    "DocumentedMeeting",
    "corrected_sentences",
    "distinct_names",
    "timed_speech",
    "timed_statements",
    "timed_words",
    "to_diarized_transcription",
    "to_transcription_text",
    "to_verbose_transcription",
]
