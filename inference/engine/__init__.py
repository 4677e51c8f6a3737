"""The models of a process, shared by its sessions: queues, batches and threads."""

from inference.engine.batching import Batcher
from inference.engine.engine import GUESSING, RECOGNITION, Engine

__all__ = [
    "Engine",
    "GUESSING",
    "RECOGNITION",
    "Batcher",
]
