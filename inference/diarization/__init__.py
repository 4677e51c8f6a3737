"""Who spoke when, from speech probabilities and speaker embeddings: plain functions of arrays."""

from inference.diarization.agglomeration import cluster_means, normalise
from inference.diarization.clustering import cluster_speakers
from inference.diarization.online import OnlineSpeakers
from inference.diarization.overlapped_speech import (
    ACTIVITY_WEIGHT,
    Similarity,
    SpeakerActivity,
    detected_speech,
    diarize_with_overlap,
    join_speech,
    overlapping_segments,
    speaker_activity,
)
from inference.diarization.rare_voices import single_voice_shares
from inference.diarization.resegmentation import (
    CHANGE_PENALTY,
    MAX_SEGMENTS_PER_SPEECH,
    SpeakerSegment,
    assign_speakers,
    frame_middles_s,
)
from inference.diarization.segmented_windows import CLASS_VOICES, FrameGrid, SegmentedWindows
from inference.diarization.several_voices import SeveralVoices
from inference.diarization.spectral import spectral_clusters
from inference.diarization.speech_segments import SpeechRule, SpeechSegment, SpeechSegmenter
from inference.diarization.voice_profiles import VoiceProfiles, build_profiles
from inference.diarization.windows import EncoderWindow, WindowPlan

__all__ = [
    "CLASS_VOICES",
    "ACTIVITY_WEIGHT",
    "SpeakerActivity",
    "frame_middles_s",
    "single_voice_shares",
    "CHANGE_PENALTY",
    "FrameGrid",
    "SegmentedWindows",
    "SeveralVoices",
    "Similarity",
    "OnlineSpeakers",
    "MAX_SEGMENTS_PER_SPEECH",
    "SpeakerSegment",
    "SpeechRule",
    "SpeechSegment",
    "SpeechSegmenter",
    "VoiceProfiles",
    "EncoderWindow",
    "WindowPlan",
    "speaker_activity",
    "assign_speakers",
    "overlapping_segments",
    "cluster_speakers",
    "detected_speech",
    "cluster_means",
    "diarize_with_overlap",
    "build_profiles",
    "spectral_clusters",
    "normalise",
    "join_speech",
]
