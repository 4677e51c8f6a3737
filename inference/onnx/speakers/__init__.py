"""Models of voices: speaker embeddings, segmentation, diarization."""

from inference.onnx.speakers.campplus_encoder import PROFILE, CampplusEncoder
from inference.onnx.speakers.sortformer import OnnxSortformer
from inference.onnx.speakers.speaker_encoder import OnnxSpeakerEncoder
from inference.onnx.speakers.voice_segmenter import PyannoteSegmenter

__all__ = [
    "CampplusEncoder",
    "OnnxSortformer",
    "OnnxSpeakerEncoder",
    "PROFILE",
    "PyannoteSegmenter",
]
