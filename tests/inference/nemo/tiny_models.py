"""Small NeMo models with random weights, built here: no download, milliseconds a step."""

from __future__ import annotations

from typing import Any

from benchmarks.random_sortformer import MODULES, SMALL, mel_front_end, random_sortformer, spread_probabilities
from benchmarks.random_sortformer import recording as recording


def sortformer(speakers: int = 4, *, seed: int = 0, streaming: bool = True, centred: bool = False) -> Any:
    """A SortformerEncLabelModel of a few ten thousand weights, in evaluation mode.

    Its probabilities are anywhere in 0..1: silence, one voice and several at once, and every rule of the speaker cache,
    come up. ``centred``: see ``spread_probabilities``.
    """
    # More than usual, so that a frame is taken for silence now and then.
    model = random_sortformer(SMALL, speakers, streaming=streaming, silence=1.0, seed=seed)
    spread_probabilities(model, centred=centred)
    return model


def speaker_encoder_config(filters: int = 32, width: int = 16) -> dict[str, Any]:
    """Configuration of a TitaNet in miniature."""

    def block(channels: int, kernel: int, *, residual: bool = False) -> dict[str, Any]:
        return {
            "filters": channels,
            "repeat": 1,
            "kernel": [kernel],
            "stride": [1],
            "dilation": [1],
            "dropout": 0.0,
            "residual": residual,
            "separable": True,
            "se": True,
            "se_context_size": -1,
        }

    return {
        "target": "nemo.collections.asr.models.label_models.EncDecSpeakerLabelModel",
        "sample_rate": 16000,
        "preprocessor": mel_front_end(80, "per_feature"),
        "encoder": {
            "_target_": f"{MODULES}.ConvASREncoder",
            "feat_in": 80,
            "activation": "relu",
            "conv_mask": True,
            "jasper": [block(filters, 3), block(filters, 7, residual=True), block(3 * filters, 1)],
        },
        "decoder": {
            "_target_": f"{MODULES}.SpeakerDecoder",
            "feat_in": 3 * filters,
            "num_classes": 5,
            "pool_mode": "attention",
            "emb_sizes": width,
            "angular": True,
        },
        "loss": {
            "_target_": "nemo.collections.asr.losses.angularloss.AngularSoftmaxLoss",
            "scale": 30,
            "margin": 0.2,
        },
    }


def speaker_encoder(*, seed: int = 0) -> Any:
    """An EncDecSpeakerLabelModel of some ten thousand weights, in evaluation mode."""
    import torch
    from nemo.collections.asr.models import EncDecSpeakerLabelModel
    from omegaconf import OmegaConf

    torch.manual_seed(seed)
    return EncDecSpeakerLabelModel(cfg=OmegaConf.create(speaker_encoder_config())).eval()
