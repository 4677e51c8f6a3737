"""The analysis of a meeting: from its audio to its stored answers."""

from server.analysis.audio_quota import DATABASE_PATIENCE_S, AudioQuota, MinutesUsedUp
from server.analysis.llm_summaries import SummaryWriter
from server.analysis.meeting_analyzer import Decoding, MeetingAnalyzer, session_config
from server.analysis.parts import first_segment_id, join_parts, part_segment
from server.analysis.recording import AudioTrack, GivenName, Recording, SessionResult
from server.analysis.text_analysis import MAX_SENTENCE_CHARACTERS, SENTENCE_BATCH_SIZE
from server.analysis.voices import MIN_SPEECH_S

__all__ = [
    "MeetingAnalyzer",
    "SummaryWriter",
    "AudioQuota",
    "AudioTrack",
    "DATABASE_PATIENCE_S",
    "Decoding",
    "GivenName",
    "MIN_SPEECH_S",
    "MAX_SENTENCE_CHARACTERS",
    "MinutesUsedUp",
    "Recording",
    "SENTENCE_BATCH_SIZE",
    "SessionResult",
    "first_segment_id",
    "join_parts",
    "part_segment",
    "session_config",
]
