"""Small NeMo models with random weights, built here: no download, milliseconds a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MODULES = "nemo.collections.asr.modules"


def mel_front_end(features: int, normalize: str) -> dict[str, Any]:
    """Configuration of 25 ms windows every 10 ms."""
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
    speakers: int = 4, *, streaming: bool = True, width: int = 32, layers: int = 2, features: int = 40
) -> dict[str, Any]:
    """Configuration of a Sortformer in miniature."""
    inner = width // 2
    return {
        "target": "nemo.collections.asr.models.sortformer_diar_models.SortformerEncLabelModel",
        "sample_rate": 16000,
        "pil_weight": 0.5,
        "ats_weight": 0.5,
        # NeMo lists all permutations of the speakers for training; 8 are 40,320.
        "max_num_of_spks": speakers,
        "streaming_mode": streaming,
        "model_defaults": {"fc_d_model": width, "tf_d_model": inner},
        "preprocessor": mel_front_end(features, "NA" if streaming else "per_feature"),
        "sortformer_modules": {
            "_target_": f"{MODULES}.sortformer_modules.SortformerModules",
            "num_spks": speakers,
            "dropout_rate": 0.5,
            "fc_d_model": width,
            "tf_d_model": inner,
            "subsampling_factor": 8,
            "spkcache_len": 188,
            "fifo_len": 0,
            "chunk_len": 188,
            "spkcache_update_period": 188,
            "chunk_left_context": 1,
            "chunk_right_context": 1,
            "spkcache_sil_frames_per_spk": 3,
            "sil_threshold": 1.0,
        },
        "encoder": {
            "_target_": f"{MODULES}.ConformerEncoder",
            "feat_in": features,
            "feat_out": -1,
            "n_layers": layers,
            "d_model": width,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 16,
            "causal_downsampling": False,
            "ff_expansion_factor": 4,
            "self_attention_model": "rel_pos",
            "n_heads": 4,
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
            "num_layers": layers,
            "hidden_size": inner,
            "inner_size": 4 * inner,
            "num_attention_heads": 4,
            "attn_score_dropout": 0.5,
            "attn_layer_dropout": 0.5,
            "ffn_dropout": 0.5,
            "hidden_act": "relu",
            "pre_ln": False,
            "pre_ln_final_layer_norm": True,
        },
        "loss": {"_target_": "nemo.collections.asr.losses.bce_loss.BCELoss", "weight": None, "reduction": "mean"},
    }


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
    from nemo.collections.asr.models import SortformerEncLabelModel
    from omegaconf import OmegaConf

    torch.manual_seed(seed)
    model = SortformerEncLabelModel(cfg=OmegaConf.create(sortformer_config(speakers, streaming=streaming))).eval()
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
