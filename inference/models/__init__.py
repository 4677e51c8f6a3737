"""The contract of models: Protocols with shapes, units and state, which backends implement.

Audio is mono float32 in -1..1 at 16 kHz. State is explicit, passed in and returned, so that many sessions share one set
of weights.
"""

from inference.models.audio import SAMPLE_RATE_HZ, Samples, StreamInput
from inference.models.errors import ModelCorrupt, ModelMissing, ModelUnfit
from inference.models.protocols import (
    EMOTIONS,
    EmotionClassifier,
    EncoderProfile,
    FrameDiarizer,
    ModelSet,
    NamedModel,
    OpinionScores,
    QualityEstimator,
    SentimentClassifier,
    SpeakerEncoder,
    TextEncoder,
    VoiceActivityDetector,
    VoiceSegmenter,
)
from inference.models.recognition import (
    EncodedWindow,
    ProvisionalWords,
    RecognisedWord,
    Recogniser,
    StreamedWords,
    StreamingRecogniser,
    WindowRecogniser,
    WindowTask,
)

__all__ = [
    "NamedModel",
    "EMOTIONS",
    "EmotionClassifier",
    "EncodedWindow",
    "EncoderProfile",
    "FrameDiarizer",
    "ProvisionalWords",
    "StreamedWords",
    "ModelCorrupt",
    "ModelMissing",
    "ModelSet",
    "ModelUnfit",
    "OpinionScores",
    "QualityEstimator",
    "RecognisedWord",
    "Recogniser",
    "SAMPLE_RATE_HZ",
    "Samples",
    "SentimentClassifier",
    "SpeakerEncoder",
    "StreamingRecogniser",
    "StreamInput",
    "TextEncoder",
    "VoiceActivityDetector",
    "VoiceSegmenter",
    "WindowRecogniser",
    "WindowTask",
]
