"""The analysis of a meeting: from its audio to its stored answers."""

from server.analysis.audio_quota import DATABASE_PATIENCE_S, AudioQuota, MinutesUsedUp
from server.analysis.copied_voice import FRAME as COPY_FRAME
from server.analysis.copied_voice import MARGIN as COPY_MARGIN
from server.analysis.copied_voice import MAX_DELAY as COPY_MAX_DELAY
from server.analysis.copied_voice import judge_frames
from server.analysis.llm_summaries import SummaryWriter
from server.analysis.meeting_analyzer import Decoding, MeetingAnalyzer, session_config
from server.analysis.parts import first_segment_id, join_parts, part_segment
from server.analysis.recording import AudioTrack, Cut, GivenName, Recording, SessionResult
from server.analysis.text_analysis import MAX_SENTENCE_CHARACTERS, SENTENCE_BATCH_SIZE, SentenceReader, analyse_sentence
from server.analysis.voices import MIN_SPEECH_S

__all__ = [
    "analyse_sentence",
    "MeetingAnalyzer",
    "SummaryWriter",
    "AudioQuota",
    "AudioTrack",
    "COPY_FRAME",
    "COPY_MARGIN",
    "COPY_MAX_DELAY",
    "DATABASE_PATIENCE_S",
    "Cut",
    "Decoding",
    "GivenName",
    "MIN_SPEECH_S",
    "MAX_SENTENCE_CHARACTERS",
    "MinutesUsedUp",
    "Recording",
    "SENTENCE_BATCH_SIZE",
    "SentenceReader",
    "SessionResult",
    "first_segment_id",
    "join_parts",
    "judge_frames",
    "part_segment",
    "session_config",
]
