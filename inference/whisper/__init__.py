"""Whisper on CTranslate2: 99 languages from one model, int8 on a CPU, float16 on a GPU."""

from inference.whisper.confidence import uncalibrated
from inference.whisper.guards import DecodedText, log_odds
from inference.whisper.recogniser import WhisperRecogniser
from inference.whisper.weights import load_whisper

__all__ = [
    "WhisperRecogniser",
    "DecodedText",
    "load_whisper",
    "log_odds",
    "uncalibrated",
]
