"""Recognisers in folders: the layout decides which one reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference.models import ModelUnfit, Recogniser
from inference.onnx.runtime import ON_CPU, Execution
from inference.onnx.speech.moonshine import MoonshineRecogniser
from inference.onnx.speech.recogniser import MOONSHINE, OnnxRecogniser, model_type


def load_recogniser(folder: Path, execution: Execution = ON_CPU, languages: Sequence[str] = ()) -> Recogniser:
    """Load the recogniser in a folder of any layout that is known here. Arguments and errors as of OnnxRecogniser."""
    if not folder.is_dir():
        raise ModelUnfit(f"{folder} is not a folder; a recogniser is a folder with config.json and graphs")
    if model_type(folder) == MOONSHINE:
        return MoonshineRecogniser(folder, execution, languages)
    return OnnxRecogniser(folder, execution, languages)
