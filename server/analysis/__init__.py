"""The analysis of a meeting: from its audio to its stored answers."""

from server.analysis.llm_summaries import SummaryWriter
from server.analysis.meeting_analyzer import DATABASE_PATIENCE_S, MeetingAnalyzer, session_config
from server.analysis.recording import AudioTrack, Recording, SessionResult
from server.analysis.text_analysis import MAX_SENTENCE_CHARACTERS, SENTENCE_BATCH_SIZE
from server.analysis.voices import MIN_SPEECH_S

__all__ = [
    "MeetingAnalyzer",
    "SummaryWriter",
    "AudioTrack",
    "DATABASE_PATIENCE_S",
    "MIN_SPEECH_S",
    "MAX_SENTENCE_CHARACTERS",
    "Recording",
    "SENTENCE_BATCH_SIZE",
    "SessionResult",
    "session_config",
]
