"""Whisper on CTranslate2: 99 languages from one model, int8 on a CPU, float16 on a GPU."""

from inference.whisper.confidence import uncalibrated
from inference.whisper.guards import Writing, odds
from inference.whisper.recogniser import WhisperRecogniser
from inference.whisper.weights import load_whisper

__all__ = [
    "WhisperRecogniser",
    "Writing",
    "load_whisper",
    "odds",
    "uncalibrated",
]
