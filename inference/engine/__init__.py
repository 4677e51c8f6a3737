"""The models of a process, shared by its sessions: queues, batches and threads."""

from inference.engine.batching import Batcher
from inference.engine.engine import PROVISIONAL_WORDS, RECOGNITION, ModelEngine

__all__ = [
    "ModelEngine",
    "PROVISIONAL_WORDS",
    "RECOGNITION",
    "Batcher",
]
