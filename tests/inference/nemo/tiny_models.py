"""Small NeMo models with random weights, built here: no download, milliseconds a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_sortformer import MODULES, SMALL, mel_front_end, random_sortformer


def recording(seconds: float, seed: int) -> NDArray[np.float32]:
    """Tones, noise and silence in turns, shape (n,), values of 16 bits so that a file keeps them."""
    chance = np.random.default_rng(seed)
    count = round(seconds * 16000)
    loudness = np.repeat(chance.choice([0, 0.02, 0.1, 0.3], size=count // 3200 + 1), 3200)[:count]
    pitch_hz = np.repeat(chance.uniform(80, 2000, size=count // 4800 + 1), 4800)[:count]
    sound = loudness * (np.sin(2 * np.pi * np.cumsum(pitch_hz) / 16000) + 0.3 * chance.standard_normal(count))
    return (np.round(sound.clip(-1, 1) * 32767) / 32768).astype(np.float32)


def sortformer(speakers: int = 4, *, seed: int = 0, streaming: bool = True) -> Any:
    """A SortformerEncLabelModel of a few ten thousand weights, in evaluation mode.

    Its last layer is scaled to what it hears, so that probabilities lie anywhere in 0..1 and change from frame to
    frame: silence, one voice and several at once, and every rule of the speaker cache, come up.
    """
    import torch

    # More than usual, so that a frame is taken for silence now and then.
    model = random_sortformer(SMALL, speakers, streaming=streaming, silence=1.0, seed=seed)
    last = model.sortformer_modules.single_hidden_to_spks
    found: list[Any] = []
    hook = last.register_forward_hook(lambda _module, _inputs, logits: found.append(logits[0]))
    sound = torch.from_numpy(recording(20, seed=1000))[None]
    with torch.no_grad():
        features, lengths = model.process_signal(sound, torch.tensor([sound.shape[1]]))
        model.forward_infer(*model.frontend_encoder(features, lengths))
        scale = 3 / found[0].std(0)
        last.weight.mul_(scale[:, None])
        last.bias.copy_((last.bias - found[0].mean(0)) * scale - 2)
    hook.remove()
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
