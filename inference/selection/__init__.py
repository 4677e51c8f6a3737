"""The models that the settings select, loaded and probed once."""

from inference.selection.default_models import load_default_models
from inference.selection.model_loading import ModelLoader
from inference.selection.model_selection import DEFAULT, choose_models, load_models

__all__ = [
    "DEFAULT",
    "ModelLoader",
    "choose_models",
    "load_default_models",
    "load_models",
]
