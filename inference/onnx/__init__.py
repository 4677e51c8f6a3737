"""Models run by ONNX Runtime: those of installed packages, and any that is exported to a layout known here."""

from inference.onnx.campplus_encoder import CampplusEncoder
from inference.onnx.dnsmos import Dnsmos
from inference.onnx.minilm_encoder import MiniLmEncoder
from inference.onnx.runtime import Execution
from inference.onnx.silero_vad import SileroVad

__all__ = ["CampplusEncoder", "Dnsmos", "Execution", "MiniLmEncoder", "SileroVad"]
