"""The inference server, as the product calls it."""

from server.engine.inference_client import EngineBusy, InferenceClient, SessionBroke, SessionRefused, event_of, pcm_of

__all__ = [
    "EngineBusy",
    "InferenceClient",
    "SessionBroke",
    "SessionRefused",
    "event_of",
    "pcm_of",
]
