"""Models run by ONNX Runtime on the CPU."""

from inference.onnx.dnsmos import Dnsmos
from inference.onnx.ge2e_encoder import Ge2eEncoder
from inference.onnx.minilm_encoder import MiniLmEncoder
from inference.onnx.silero_vad import SileroVad

__all__ = ["Dnsmos", "Ge2eEncoder", "MiniLmEncoder", "SileroVad"]
