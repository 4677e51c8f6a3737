"""Models run by ONNX Runtime on the CPU."""

from inference.onnx.ge2e_encoder import Ge2eEncoder
from inference.onnx.silero_vad import SileroVad

__all__ = ["Ge2eEncoder", "SileroVad"]
