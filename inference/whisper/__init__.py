"""Whisper on CTranslate2: 99 languages from one model, int8 on a CPU, float16 on a GPU."""

from __future__ import annotations

from inference.whisper.recogniser import WhisperRecogniser
from inference.whisper.weights import load_whisper

__all__ = ["WhisperRecogniser", "load_whisper"]
