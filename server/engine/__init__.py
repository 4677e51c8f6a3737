"""The client of the inference server."""

from server.engine.inference_client import EngineBusy, InferenceClient, SessionBroke, SessionRefused, event_of, pcm_of
from server.engine.model_labels import label_of, label_of_task

__all__ = [
    "label_of",
    "label_of_task",
    "EngineBusy",
    "InferenceClient",
    "SessionBroke",
    "SessionRefused",
    "event_of",
    "pcm_of",
]
