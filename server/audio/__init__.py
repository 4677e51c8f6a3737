"""The server's audio: durable logs, decoders in child processes, and the encodings of live tracks."""

from server.audio.audio_log import AudioLog, IncomingRecording, SizeLimitExceeded, sync_directory
from server.audio.encodings import (
    OPUS_RATE_HZ,
    Encoding,
    InvalidChunk,
    TrackFormat,
    positions,
    positions_of_log,
    to_log,
)
from server.audio.level import LevelMeter, metered
from server.audio.media_decoder import DecodedAudio, DecodedTrack, DecoderDied, UnusableRecording, decode, probe
from server.audio.track_decoder import TrackDecoder
from server.audio.track_sound import ChannelComparison, Comparison, TrackSound

__all__ = [
    "AudioLog",
    "ChannelComparison",
    "Comparison",
    "DecodedAudio",
    "DecodedTrack",
    "DecoderDied",
    "Encoding",
    "IncomingRecording",
    "InvalidChunk",
    "LevelMeter",
    "OPUS_RATE_HZ",
    "SizeLimitExceeded",
    "TrackDecoder",
    "TrackFormat",
    "TrackSound",
    "UnusableRecording",
    "decode",
    "metered",
    "positions",
    "positions_of_log",
    "probe",
    "sync_directory",
    "to_log",
]
