"""Models of speech: voice activity, quality and recognition."""

from inference.onnx.speech.dnsmos import Dnsmos
from inference.onnx.speech.recognised_words import words_by_letters
from inference.onnx.speech.recogniser_loading import load_recogniser
from inference.onnx.speech.silero_vad import SileroVad, load_silero

__all__ = [
    "Dnsmos",
    "SileroVad",
    "load_recogniser",
    "load_silero",
    "words_by_letters",
]
