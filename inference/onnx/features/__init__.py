"""Spectra in the forms that models were trained on."""

from inference.onnx.features.kaldi_spectra import FRAME_SAMPLES, HOP_SAMPLES, KaldiSettings, KaldiSpectra
from inference.onnx.features.log_mel import LogMel, LogMelSettings
from inference.onnx.features.mel import slaney_filters

__all__ = [
    "FRAME_SAMPLES",
    "HOP_SAMPLES",
    "KaldiSettings",
    "KaldiSpectra",
    "LogMel",
    "LogMelSettings",
    "slaney_filters",
]
