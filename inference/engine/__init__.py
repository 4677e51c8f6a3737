"""The models of a process, shared by its sessions: queues, batches and threads."""

from inference.engine.batching import Batcher
from inference.engine.engine import GPU_WINDOW_S, PROVISIONAL_WORDS, RECOGNITION, ModelEngine

__all__ = [
    "GPU_WINDOW_S",
    "ModelEngine",
    "PROVISIONAL_WORDS",
    "RECOGNITION",
    "Batcher",
]
