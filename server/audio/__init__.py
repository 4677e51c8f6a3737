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
from server.audio.level import LevelMeter, is_quiet, measure_level
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
from server.audio.track_edits import (
    PIECE_SAMPLES,
    AudioEditor,
    Edit,
    TrackEdits,
    append_edits,
    edited_length,
    read_edits,
    recover_edits,
)
from server.audio.track_sound import SILENCE_S, ChannelComparison, TrackComparison, TrackSound
from server.audio.unfinished_recordings import (
    Finished,
    NoSuchRecording,
    RecordingLocked,
    Stated,
    UnfinishedRecording,
    UnfinishedRecordings,
)

__all__ = [
    "PIECE_SAMPLES",
    "SILENCE_S",
    "AudioEditor",
    "AudioLog",
    "ChannelComparison",
    "TrackComparison",
    "DecodedAudio",
    "DecodedTrack",
    "DecoderDied",
    "Edit",
    "Encoding",
    "Finished",
    "IncomingRecording",
    "NoSuchRecording",
    "RecordingLocked",
    "Stated",
    "UnfinishedRecording",
    "UnfinishedRecordings",
    "InvalidChunk",
    "LevelMeter",
    "OPUS_RATE_HZ",
    "opus_head",
    "opus_records",
    "Probe",
    "RecordingTooLarge",
    "TrackDecoder",
    "TrackEdits",
    "TrackFormat",
    "TrackSound",
    "UnusableRecording",
    "decode",
    "measure_level",
    "append_edits",
    "chunk_positions",
    "edited_length",
    "is_quiet",
    "read_edits",
    "recover_edits",
    "read_log_positions",
    "probe",
    "split_batch",
    "sync_directory",
    "encode_record",
]
