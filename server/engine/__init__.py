"""The client of the inference servers."""

from server.engine.inference_client import InferenceClient, SentenceVector, read_pcm
from server.engine.model_labels import SENTENCE_VECTORS, model_label, task_model_label, task_name
from server.engine.replica import FLUSH, EngineBusy, Flush, Overload, SessionBroke, SessionRefused
from server.engine.session_events import to_capabilities, to_event
from server.engine.transport import TLS_SETTINGS

__all__ = [
    "model_label",
    "task_model_label",
    "task_name",
    "EngineBusy",
    "FLUSH",
    "Flush",
    "InferenceClient",
    "Overload",
    "SENTENCE_VECTORS",
    "SentenceVector",
    "TLS_SETTINGS",
    "SessionBroke",
    "SessionRefused",
    "to_capabilities",
    "to_event",
    "read_pcm",
]
