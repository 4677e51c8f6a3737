"""The default models: no GPU, no download; everything lies inside installed packages."""

from __future__ import annotations

from inference.config import InferenceSettings
from inference.models import ModelSet
from inference.selection.model_selection import load_models


def load_default_models(threads: int, recogniser_workers: int) -> ModelSet:
    """Loads and checks the default models, whatever the environment says. Raises ModelMissing or ModelCorrupt."""
    # ``model_construct`` reads no environment.
    return load_models(
        InferenceSettings.model_construct(threads=threads, recogniser_workers=recogniser_workers, device="cpu")
    )
