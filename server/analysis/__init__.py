"""From the audio of a meeting to its stored answers."""

from server.analysis.meeting_analyzer import DATABASE_PATIENCE_S, Analyst, session_config
from server.analysis.recording import AudioTrack, Recording, SessionResult
from server.analysis.text_analysis import MAX_CHARACTERS, SENTENCES_AT_ONCE
from server.analysis.voices import MIN_SPEECH_S

__all__ = [
    "Analyst",
    "AudioTrack",
    "DATABASE_PATIENCE_S",
    "MIN_SPEECH_S",
    "MAX_CHARACTERS",
    "Recording",
    "SENTENCES_AT_ONCE",
    "SessionResult",
    "session_config",
]
