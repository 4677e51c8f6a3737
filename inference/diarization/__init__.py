"""Who spoke when, from speech probabilities and speaker embeddings: plain functions of arrays."""

from inference.diarization.agglomeration import means, unit
from inference.diarization.clustering import cluster_speakers
from inference.diarization.local_voices import FrameGrid, HeardVoices
from inference.diarization.online import OnlineSpeakers
from inference.diarization.overlapped_speech import (
    Similarity,
    activity_of,
    beside,
    heard_speech,
    overlapped_segments,
    united,
)
from inference.diarization.rare_voices import alone_shares
from inference.diarization.resegmentation import CHANGE_PENALTY, PIECES_PER_SPEECH, SpeakerSegment, assign_speakers
from inference.diarization.spectral import spectral_clusters
from inference.diarization.speech_segments import SpeechRule, SpeechSegment, SpeechSegmenter
from inference.diarization.voice_profiles import VoiceProfiles, profiles_of
from inference.diarization.windows import Window, WindowPlan

__all__ = [
    "alone_shares",
    "CHANGE_PENALTY",
    "FrameGrid",
    "HeardVoices",
    "Similarity",
    "OnlineSpeakers",
    "PIECES_PER_SPEECH",
    "SpeakerSegment",
    "SpeechRule",
    "SpeechSegment",
    "SpeechSegmenter",
    "VoiceProfiles",
    "Window",
    "WindowPlan",
    "activity_of",
    "assign_speakers",
    "beside",
    "cluster_speakers",
    "heard_speech",
    "means",
    "overlapped_segments",
    "profiles_of",
    "spectral_clusters",
    "unit",
    "united",
]
