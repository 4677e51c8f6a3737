"""Speaker encoders of NeMo with random weights, of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.random_sortformer import mel_front_end


@dataclass(frozen=True, slots=True)
class SpeakerEncoderSize:
    """What an architecture is measured by."""

    filters: int
    kernels: tuple[int, ...]
    """Of the blocks between the first and the last."""
    repeats: int
    """Convolutions of each of these blocks."""
    dimension: int
    """Of a vector."""


SMALL_TITANET = SpeakerEncoderSize(32, (7,), 2, 16)
TITANET_LARGE = SpeakerEncoderSize(1024, (7, 11, 15), 3, 192)
"""titanet_large."""


def speaker_encoder(
    *, conv_mask: bool = True, normalize: str = "per_feature", size: SpeakerEncoderSize = SMALL_TITANET
) -> Any:
    """A TitaNet."""
    import torch
    from nemo.collections.asr.models import EncDecSpeakerLabelModel
    from omegaconf import OmegaConf

    def block(width: int, kernel: int, **more: Any) -> dict[str, Any]:
        shape = {"filters": width, "repeat": 1, "kernel": [kernel], "stride": [1], "dilation": [1]}
        return {
            **shape,
            "dropout": 0.0,
            "residual": False,
            "separable": True,
            "se": True,
            "se_context_size": -1,
            **more,
        }

    torch.manual_seed(0)
    filters = size.filters
    middle = [block(filters, kernel, residual=True, repeat=size.repeats) for kernel in size.kernels]
    model = EncDecSpeakerLabelModel(
        cfg=OmegaConf.create(
            {
                "sample_rate": 16000,
                "train_ds": {"sample_rate": 16000, "manifest_filepath": None, "labels": None, "shuffle": False},
                "preprocessor": {**mel_front_end(80, normalize), "dither": 0.0, "pad_to": 16},
                "encoder": {
                    "_target_": "nemo.collections.asr.modules.ConvASREncoder",
                    "feat_in": 80,
                    "activation": "relu",
                    "conv_mask": conv_mask,
                    "jasper": [block(filters, 3), *middle, block(3 * filters, 1)],
                },
                "decoder": {
                    "_target_": "nemo.collections.asr.modules.SpeakerDecoder",
                    "feat_in": 3 * filters,
                    "num_classes": 5,
                    "pool_mode": "attention",
                    "emb_sizes": size.dimension,
                    "angular": True,
                },
                "loss": {
                    "_target_": "nemo.collections.asr.losses.angularloss.AngularSoftmaxLoss",
                    "scale": 30,
                    "margin": 0.2,
                },
            }
        )
    )
    return model.eval()
