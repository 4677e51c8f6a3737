"""Sortformers with random weights, of any size: what they cost does not depend on what they have learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODULES = "nemo.collections.asr.modules"


@dataclass(frozen=True, slots=True)
class SortformerSize:
    """What an architecture is measured by."""

    features: int
    """Mel bands."""
    width: int
    """Of the Conformer; a multiple of its heads."""
    layers: int
    heads: int
    channels: int
    """Of the convolutions that take eight features to a frame."""
    inner_width: int
    """Of the Transformer; a multiple of its heads."""
    inner_layers: int


PUBLISHED = SortformerSize(features=128, width=512, layers=17, heads=8, channels=256, inner_width=192, inner_layers=18)
"""diar_streaming_sortformer_4spk-v2, as its card describes it: 117 million weights."""
SMALL = SortformerSize(features=40, width=32, layers=2, heads=4, channels=16, inner_width=16, inner_layers=2)
"""Milliseconds a step anywhere."""


def mel_front_end(features: int, normalize: str) -> dict[str, Any]:
    """Configuration of NeMo's front end: 25 ms windows every 10 ms."""
    return {
        "_target_": f"{MODULES}.AudioToMelSpectrogramPreprocessor",
        "sample_rate": 16000,
        "window_size": 0.025,
        "window_stride": 0.01,
        "window": "hann",
        "features": features,
        "n_fft": 512,
        "frame_splicing": 1,
        "dither": 1e-5,
        "normalize": normalize,
        "pad_to": 0,
    }


def sortformer_config(
    size: SortformerSize, speakers: int = 4, *, streaming: bool = True, silence: float = 0.2
) -> dict[str, Any]:
    """What NeMo builds a SortformerEncLabelModel from.

    ``silence``: a frame whose probabilities add up to less is taken for silence.
    """
    return {
        "target": "nemo.collections.asr.models.sortformer_diar_models.SortformerEncLabelModel",
        "sample_rate": 16000,
        "pil_weight": 0.5,
        "ats_weight": 0.5,
        "max_num_of_spks": speakers,
        "streaming_mode": streaming,
        "model_defaults": {"fc_d_model": size.width, "tf_d_model": size.inner_width},
        "preprocessor": mel_front_end(size.features, "NA" if streaming else "per_feature"),
        "sortformer_modules": {
            "_target_": f"{MODULES}.sortformer_modules.SortformerModules",
            "num_spks": speakers,
            "dropout_rate": 0.5,
            "fc_d_model": size.width,
            "tf_d_model": size.inner_width,
            "subsampling_factor": 8,
            "spkcache_len": 188,
            "fifo_len": 0,
            "chunk_len": 188,
            "spkcache_update_period": 188,
            "chunk_left_context": 1,
            "chunk_right_context": 1,
            "spkcache_sil_frames_per_spk": 3,
            "sil_threshold": silence,
        },
        "encoder": {
            "_target_": f"{MODULES}.ConformerEncoder",
            "feat_in": size.features,
            "feat_out": -1,
            "n_layers": size.layers,
            "d_model": size.width,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": size.channels,
            "causal_downsampling": False,
            "ff_expansion_factor": 4,
            "self_attention_model": "rel_pos",
            "n_heads": size.heads,
            "att_context_size": [-1, -1],
            "xscaling": True,
            "untie_biases": True,
            "pos_emb_max_len": 5000,
            "conv_kernel_size": 9,
            "conv_norm_type": "batch_norm",
            "conv_context_size": None,
            "dropout": 0.1,
            "dropout_pre_encoder": 0.1,
            "dropout_emb": 0.0,
            "dropout_att": 0.1,
        },
        "transformer_encoder": {
            "_target_": f"{MODULES}.transformer.transformer_encoders.TransformerEncoder",
            "num_layers": size.inner_layers,
            "hidden_size": size.inner_width,
            "inner_size": 4 * size.inner_width,
            "num_attention_heads": size.heads,
            "attn_score_dropout": 0.5,
            "attn_layer_dropout": 0.5,
            "ffn_dropout": 0.5,
            "hidden_act": "relu",
            "pre_ln": False,
            "pre_ln_final_layer_norm": True,
        },
        "loss": {"_target_": "nemo.collections.asr.losses.bce_loss.BCELoss", "weight": None, "reduction": "mean"},
    }


def random_sortformer(
    size: SortformerSize, speakers: int = 4, *, streaming: bool = True, silence: float = 0.2, seed: int = 0
) -> Any:
    """A SortformerEncLabelModel in evaluation mode, float32, on the CPU. Needs NeMo."""
    import torch
    from nemo.collections.asr.models import SortformerEncLabelModel
    from omegaconf import OmegaConf

    torch.manual_seed(seed)
    config = OmegaConf.create(sortformer_config(size, speakers, streaming=streaming, silence=silence))
    return SortformerEncLabelModel(cfg=config).eval().requires_grad_(False)


def recording(seconds: float, seed: int) -> NDArray[np.float32]:
    """Tones, noise and silence in turns, shape (n,), values of 16 bits so that a file keeps them."""
    chance = np.random.default_rng(seed)
    count = round(seconds * 16000)
    loudness = np.repeat(chance.choice([0, 0.02, 0.1, 0.3], size=count // 3200 + 1), 3200)[:count]
    pitch_hz = np.repeat(chance.uniform(80, 2000, size=count // 4800 + 1), 4800)[:count]
    sound = loudness * (np.sin(2 * np.pi * np.cumsum(pitch_hz) / 16000) + 0.3 * chance.standard_normal(count))
    return (np.round(sound.clip(-1, 1) * 32767) / 32768).astype(np.float32)


def spread_probabilities(model: Any, *, centred: bool = False) -> None:
    """Scale a random Sortformer to what it hears: its probabilities change from frame to frame, anywhere in 0..1.

    Args:
        model: on the CPU, float32; its last layer is changed, and biases where ``centred``.
        centred: take what frames have in common from those that layers see: else random layers see little of what
            differs, and 16 bits round it away.
    """
    import torch

    if centred:
        _centre_frames(model)
    last = model.sortformer_modules.single_hidden_to_spks
    found: list[Any] = []
    hook = last.register_forward_hook(lambda _module, _inputs, logits: found.append(logits[0]))
    with torch.no_grad():
        features, lengths = _spectra(model)
        model.forward_infer(*model.frontend_encoder(features, lengths))
        scale = 3 / found[0].std(0)
        last.weight.mul_(scale[:, None])
        last.bias.copy_((last.bias - found[0].mean(0)) * scale - 2)
    hook.remove()


def _spectra(model: Any) -> tuple[Any, Any]:
    """What it hears: of 20 s, and its length."""
    import torch

    sound = torch.from_numpy(recording(20, seed=1000))[None]
    features, lengths = model.process_signal(sound, torch.tensor([sound.shape[1]]))
    return features, lengths


def _centre_frames(model: Any) -> None:
    import torch

    with torch.no_grad():
        features, lengths = _spectra(model)
        embedded, _ = model.encoder.pre_encode(x=features.transpose(1, 2), lengths=lengths)
        model.encoder.pre_encode.out.bias.sub_(embedded[0].mean(0))
        encoded, _ = model.frontend_encoder(features, lengths)
        model.sortformer_modules.encoder_proj.bias.sub_(encoded[0].mean(0))
