"""The default models: no GPU and no download; all files are in installed packages."""

from __future__ import annotations

from typing import Literal

from inference.config import InferenceSettings
from inference.models import ModelSet
from inference.selection.model_selection import load_models


def load_default_models(
    threads: int, recogniser_workers: int, device: Literal["auto", "cpu", "cuda"] = "cpu"
) -> ModelSet:
    """Load and check the default models, regardless of the environment. Raises ModelMissing or ModelCorrupt.

    Args:
        threads: of each ONNX call.
        recogniser_workers: windows that Whisper recognises at once on a CPU.
        device: "cpu", "cuda", or "auto" for a GPU where a backend finds one.
    """
    # ``model_construct`` does not read the environment.
    return load_models(
        InferenceSettings.model_construct(threads=threads, recogniser_workers=recogniser_workers, device=device)
    )
