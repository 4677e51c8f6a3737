"""Mel spectra of pieces of audio, the same as those of the whole file.

NeMo's own front end computes them. A frame's window reaches into its neighbours, and the ends of what the front end is
given are padded with silence: so it is given a little more on the left, and the frames that heard
the padding are left out.
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
    """What frames to compute of one session."""

    samples: Samples
    """From ``guard`` frames before the first."""
    guard: int
    """Frames to leave out on the left."""
    frames: int


class MelFrontEnd:
    """NeMo's front end of a model, for several sessions at once."""

    def __init__(self, preprocessor: Any, name: str) -> None:
        """Raises ModelUnfit: the model hears other features than a stream can have."""
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
                f"{name}: its front end has rate, hop, FFT, window, splicing, exact_pad = {found}; {wanted} is served"
            )
        if featurizer.normalize in ("per_feature", "all_features") or isinstance(featurizer.normalize, dict):
            raise ModelUnfit(
                f"{name}: preprocessor.normalize is {featurizer.normalize!r}, which needs the whole recording; "
                "use a checkpoint made for streaming (normalize: NA)"
            )

    def __call__(self, rows: Sequence[FeatureRow], device: Any) -> Any:
        """Log mel spectra, shape (rows, most frames, features), float32; zeros after a row's own frames."""
        longest = max(len(row.samples) for row in rows)
        audio = np.zeros((len(rows), longest), np.float32)
        for place, row in zip(audio, rows, strict=True):
            place[: len(row.samples)] = row.samples
        lengths = torch.tensor([len(row.samples) for row in rows], device=device)
        features, _ = self._featurizer(torch.from_numpy(audio).to(device), lengths)
        wanted = torch.arange(max(row.frames for row in rows), device=device)
        guards = torch.tensor([row.guard for row in rows], device=device)
        index = (guards[:, None] + wanted[None]).clamp(max=features.shape[2] - 1)
        taken = features.transpose(1, 2).gather(1, index[:, :, None].expand(-1, -1, features.shape[1]))
        frames = torch.tensor([row.frames for row in rows], device=device)
        return taken.masked_fill((wanted[None] >= frames[:, None])[:, :, None], 0.0)
