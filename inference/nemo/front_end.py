"""Mel spectra of chunks of audio, equal to those of the whole file.

NeMo's own front end computes them. A frame's window reaches into its neighbours, and the front end pads both ends of
its input with silence: so it gets some more audio on the left, and the frames that include padding are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from inference.models import SAMPLE_RATE_HZ, ModelUnfit, Samples
from inference.sortformer import FFT, HOP_SAMPLES, WINDOW_SAMPLES


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """Audio and number of the frames to compute for one session."""

    samples: Samples
    """From ``guard`` frames before the first."""
    guard: int
    """Frames to drop on the left."""
    frames: int


class MelFrontEnd:
    """A model's NeMo front end, for several sessions at once."""

    def __init__(self, preprocessor: Any, name: str) -> None:
        """Check the front end. Raises ModelUnfit for features that cannot be streamed."""
        self._featurizer = featurizer = preprocessor.featurizer
        found = (
            int(featurizer.sample_rate),
            int(featurizer.hop_length),
            int(featurizer.n_fft),
            int(featurizer.win_length),
            int(featurizer.frame_splicing),
            bool(featurizer.exact_pad),
        )
        wanted = (SAMPLE_RATE_HZ, HOP_SAMPLES, FFT, WINDOW_SAMPLES, 1, False)
        if found != wanted:
            raise ModelUnfit(
                f"{name}: its front end has rate, hop, FFT, window, splicing, exact_pad = {found}; expected {wanted}"
            )
        if featurizer.normalize in ("per_feature", "all_features") or isinstance(featurizer.normalize, dict):
            raise ModelUnfit(
                f"{name}: preprocessor.normalize is {featurizer.normalize!r}, which needs the whole recording; "
                "use a checkpoint made for streaming (normalize: NA)"
            )

    def __call__(self, rows: Sequence[FeatureRow], device: Any) -> Any:
        """Return log-mel spectra, shape (rows, max frames, bands), float32; zeros after a row's own frames."""
        longest = max(len(row.samples) for row in rows)
        audio = np.zeros((len(rows), longest), np.float32)
        for target, row in zip(audio, rows, strict=True):
            target[: len(row.samples)] = row.samples
        lengths = torch.tensor([len(row.samples) for row in rows], device=device)
        features, _ = self._featurizer(torch.from_numpy(audio).to(device), lengths)
        wanted = torch.arange(max(row.frames for row in rows), device=device)
        guards = torch.tensor([row.guard for row in rows], device=device)
        index = (guards[:, None] + wanted[None]).clamp(max=features.shape[2] - 1)
        selected = features.transpose(1, 2).gather(1, index[:, :, None].expand(-1, -1, features.shape[1]))
        frames = torch.tensor([row.frames for row in rows], device=device)
        return selected.masked_fill((wanted[None] >= frames[:, None])[:, :, None], 0.0)
