"""Sortformers with random weights, of any size: what they cost does not depend on what they have learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
