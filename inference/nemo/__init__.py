"""Models of NVIDIA NeMo: checkpoints loaded safely, behind the Protocols.

Neither torch nor nemo is imported before a model is loaded.
"""

from inference.nemo.diarizer_loading import load_sortformer
from inference.nemo.runtime import import_nemo, torch_device
from inference.nemo.speaker_encoder import load_speaker_encoder
from inference.nemo.streaming_recogniser import load_any_recogniser

__all__ = [
    "import_nemo",
    "load_any_recogniser",
    "load_sortformer",
    "load_speaker_encoder",
    "torch_device",
]
