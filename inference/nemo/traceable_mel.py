"""NeMo's mel front end, described in JSON and rebuilt from operators of ONNX.

NeMo's own uses complex numbers, which the exporter does not support. Here the Fourier transform is a convolution with
sines and cosines: the same spectrum to single precision, on any of ONNX Runtime's providers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from inference.models import SAMPLE_RATE_HZ, ModelUnfit

# NeMo adds it to each band's deviation before dividing.
_MIN_DEVIATION = 1e-5
_WINDOWS = ("hann", "hamming")


def describe_mel(model: Any, name: str) -> dict[str, Any]:
    """Describe the front end of a model for the JSON file beside an export.

    Raises:
        ModelUnfit: the front end cannot be described; the message names the setting.
    """
    config, featurizer = model.cfg.preprocessor, model.preprocessor.featurizer
    fixed = {
        "sample_rate": (int(featurizer.sample_rate), SAMPLE_RATE_HZ),
        "frame_splicing": (int(featurizer.frame_splicing), 1),
        "exact_pad": (bool(featurizer.exact_pad), False),
        "log": (bool(featurizer.log), True),
        "log_zero_guard_type": (featurizer.log_zero_guard_type, "add"),
        "mag_power": (float(featurizer.mag_power), 2.0),
        "mel_norm": (config.get("mel_norm", "slaney"), "slaney"),
        "lowfreq": (float(config.get("lowfreq") or 0), 0.0),
        "highfreq": (float(config.get("highfreq") or SAMPLE_RATE_HZ / 2), SAMPLE_RATE_HZ / 2),
    }
    for key, (found, wanted) in fixed.items():
        if found != wanted:
            raise ModelUnfit(f"{name}: preprocessor.{key} is {found}; only {wanted} can be exported")
    window = str(config.get("window", "hann"))
    if window not in _WINDOWS:
        raise ModelUnfit(f"{name}: preprocessor.window is {window!r}; one of {', '.join(_WINDOWS)} can be exported")
    if not isinstance(featurizer.log_zero_guard_value, int | float):
        raise ModelUnfit(
            f"{name}: preprocessor.log_zero_guard_value is {featurizer.log_zero_guard_value!r}; expected a number"
        )
    normalise = featurizer.normalize
    if not isinstance(normalise, str | None) or normalise == "all_features" or "fixed" in (normalise or ""):
        raise ModelUnfit(f"{name}: preprocessor.normalize is {normalise!r}; per_feature or NA can be exported")
    return {
        "bands": int(featurizer.nfilt),
        "n_fft": int(featurizer.n_fft),
        "window_samples": int(featurizer.win_length),
        "hop_samples": int(featurizer.hop_length),
        "window": window,
        "normalise": "per_feature" if normalise == "per_feature" else "none",
        "log_guard": float(featurizer.log_zero_guard_value),
        "preemphasis": float(featurizer.preemph or 0.0),
    }


class TraceableMel(torch.nn.Module):  # type: ignore[misc]
    """Computes log-mel spectra of batches of samples, by operators that ONNX has."""

    def __init__(self, model: Any, description: dict[str, Any]) -> None:
        """``description``: of ``describe_mel``."""
        super().__init__()
        featurizer = model.preprocessor.featurizer
        self._hop = int(description["hop_samples"])
        self._reach = int(description["window_samples"]) // 2
        self._preemphasis = float(description["preemphasis"])
        self._guard = float(description["log_guard"])
        self._normalises = description["normalise"] == "per_feature"
        self._pad_to = int(featurizer.pad_to) if isinstance(featurizer.pad_to, int) else 0
        n_fft, window = int(description["n_fft"]), featurizer.window.double().numpy()
        angles = 2 * np.pi * np.arange(n_fft // 2 + 1)[:, None] * np.arange(len(window))[None] / n_fft
        waves = np.concatenate([np.cos(angles), np.sin(angles)]) * window[None]
        self.register_buffer("waves", torch.from_numpy(waves).float()[:, None])
        self.register_buffer("filters", featurizer.fb[0].float())

    def forward(self, samples: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features (n, bands, frames) of samples (n, t) with lengths (n), and the frames of each (n)."""
        before = torch.nn.functional.pad(samples[:, :-1], (1, 0))
        positions = torch.arange(samples.shape[1], device=samples.device)
        sharp = (samples - self._preemphasis * before) * (positions[None] < lengths[:, None])
        padded = torch.nn.functional.pad(sharp, (self._reach, self._reach))
        cosines, sines = torch.nn.functional.conv1d(padded[:, None], self.waves, stride=self._hop).chunk(2, dim=1)
        features = torch.log(torch.matmul(self.filters, cosines**2 + sines**2) + self._guard)
        frames = torch.div(lengths, self._hop, rounding_mode="floor")
        valid = (torch.arange(features.shape[2], device=samples.device)[None] < frames[:, None])[:, None]
        if self._normalises:
            count = frames[:, None, None].to(features.dtype)
            mean = (features * valid).sum(2, keepdim=True) / count
            centred = (features - mean) * valid
            features = centred / (((centred**2).sum(2, keepdim=True) / (count - 1)).sqrt() + _MIN_DEVIATION)
        features = features * valid
        if self._pad_to > 0:
            # Encoders without masks take the silence that NeMo pads with into account.
            missing = (self._pad_to - features.shape[2] % self._pad_to) % self._pad_to
            features = torch.nn.functional.pad(features, (0, missing))
        return features, frames
