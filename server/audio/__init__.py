"""The server's audio: durable logs, decoders in child processes, and the encodings of live tracks."""

from server.audio.audio_log import AudioLog, IncomingRecording, RecordingTooLarge, sync_directory
from server.audio.encodings import (
    OPUS_RATE_HZ,
    Encoding,
    InvalidChunk,
    TrackFormat,
    chunk_positions,
    encode_record,
    opus_records,
    read_log_positions,
    split_batch,
)
from server.audio.level import LevelMeter, measure_level
from server.audio.media_decoder import (
    DecodedAudio,
    DecodedTrack,
    DecoderDied,
    Probe,
    UnusableRecording,
    decode,
    probe,
)
from server.audio.opus_packets import opus_head
from server.audio.track_decoder import TrackDecoder
from server.audio.track_sound import SILENCE_S, ChannelComparison, TrackComparison, TrackSound

__all__ = [
    "SILENCE_S",
    "AudioLog",
    "ChannelComparison",
    "TrackComparison",
    "DecodedAudio",
    "DecodedTrack",
    "DecoderDied",
    "Encoding",
    "IncomingRecording",
    "InvalidChunk",
    "LevelMeter",
    "OPUS_RATE_HZ",
    "opus_head",
    "opus_records",
    "Probe",
    "RecordingTooLarge",
    "TrackDecoder",
    "TrackFormat",
    "TrackSound",
    "UnusableRecording",
    "decode",
    "measure_level",
    "chunk_positions",
    "read_log_positions",
    "probe",
    "split_batch",
    "sync_directory",
    "encode_record",
]
