"""Recognisers of NeMo with random weights, of any size, and sound for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_sortformer import mel_front_end

SENTENCES = (
    "good morning everybody and welcome to the weekly meeting",
    "let us begin with the numbers of the last quarter",
    "we have sold more than we had planned, which is good news.",
    "who will talk to the customer about the delay?",
    "i can do that tomorrow, if nobody else wants to.",
    "thank you all, we meet again on monday at nine.",
)
PIECES = 48
"""Word pieces of the tokenizer; the blank comes after them."""
DURATIONS = [0, 1, 2, 3, 4]
KINDS = ("tdt", "rnnt", "hybrid", "ctc")


@dataclass(frozen=True, slots=True)
class RecogniserSize:
    """What an architecture is measured by."""

    features: int
    """Mel bands."""
    width: int
    """Of the Conformer; a multiple of its heads."""
    layers: int
    heads: int
    channels: int
    """Of the convolutions that take eight features to a frame."""
    hidden: int
    """Width of predictor and joint."""
    predictor_layers: int
    contexts: tuple[tuple[int, int], ...]
    """Frames to the left and right that a streaming encoder sees, its default first."""


SMALL = RecogniserSize(80, 32, 2, 4, 16, 24, 1, ((28, 6), (28, 1)))
"""Built in a blink."""
PARAKEET = RecogniserSize(128, 1024, 24, 8, 256, 640, 2, ((70, 13),))
"""parakeet-tdt-0.6b-v2, but for its vocabulary."""
STREAMING = RecogniserSize(80, 512, 17, 8, 256, 640, 1, ((70, 13), (70, 6), (70, 1), (70, 0)))
"""stt_en_fastconformer_hybrid_large_streaming_multi, but for its vocabulary."""


def speechlike(seconds: float, seed: int) -> NDArray[np.float32]:
    """Noise that changes its colour and level every tenth of a second."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * 16_000)
    blocks = [
        np.convolve(rng.standard_normal(1600), rng.standard_normal(12), "same") * rng.uniform(0.01, 1)
        for _ in range(-(-samples // 1600))
    ]
    sound = np.concatenate(blocks)[:samples]
    return np.asarray(sound * 0.1 / np.abs(sound).max(), np.float32)


def train_tokenizer(folder: Path) -> Path:
    """A byte pair tokenizer of SENTENCES in ``folder``, as NeMo wants it there."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=PIECES,
        model_type="bpe",
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    lines = (folder / "tokenizer.vocab").read_text("utf-8").splitlines()
    (folder / "vocab.txt").write_text("\n".join(line.split("\t")[0] for line in lines), "utf-8")
    return folder


def recogniser(kind: str, tokenizer: Path, *, streaming: bool = False, size: RecogniserSize = SMALL) -> Any:
    """A model of one of KINDS whose words depend on the audio; ``streaming``: with a cache-aware encoder."""
    import torch
    from nemo.collections.asr import models
    from omegaconf import OmegaConf

    torch.manual_seed(1)
    if kind == "ctc":
        model = models.EncDecCTCModelBPE(cfg=OmegaConf.create(_ctc(tokenizer, streaming, size)))
    elif kind == "hybrid":
        model = models.EncDecHybridRNNTCTCBPEModel(cfg=OmegaConf.create(_hybrid(tokenizer, streaming, size)))
    else:
        model = models.EncDecRNNTBPEModel(cfg=OmegaConf.create(_transducer(kind, tokenizer, streaming, size)))
    model.eval()
    _liven(model)
    return model


def _encoder(streaming: bool, size: RecogniserSize) -> dict[str, Any]:
    return {
        "_target_": "nemo.collections.asr.modules.ConformerEncoder",
        "feat_in": size.features,
        "feat_out": -1,
        "n_layers": size.layers,
        "d_model": size.width,
        "subsampling": "dw_striding",
        "subsampling_factor": 8,
        "subsampling_conv_channels": size.channels,
        "causal_downsampling": streaming,
        "ff_expansion_factor": 4,
        "self_attention_model": "rel_pos",
        "n_heads": size.heads,
        "att_context_size": list(map(list, size.contexts)) if streaming else [-1, -1],
        "att_context_style": "chunked_limited" if streaming else "regular",
        "xscaling": False,
        "untie_biases": True,
        "pos_emb_max_len": 5000,
        "conv_kernel_size": 9,
        "conv_norm_type": "layer_norm" if streaming else "batch_norm",
        "conv_context_size": "causal" if streaming else None,
        "dropout": 0.0,
        "dropout_pre_encoder": 0.0,
        "dropout_emb": 0.0,
        "dropout_att": 0.0,
    }


def _common(tokenizer: Path, streaming: bool, size: RecogniserSize) -> dict[str, Any]:
    return {
        "sample_rate": 16000,
        "log_prediction": False,
        "skip_nan_grad": False,
        "tokenizer": {"dir": str(tokenizer), "type": "bpe"},
        "preprocessor": {**mel_front_end(size.features, "NA" if streaming else "per_feature"), "dither": 0.0},
        "encoder": _encoder(streaming, size),
        "optim": {"name": "adamw", "lr": 1e-3},
    }


def _ctc_decoder(size: RecogniserSize) -> dict[str, Any]:
    decoder = "nemo.collections.asr.modules.ConvASRDecoder"
    return {"_target_": decoder, "feat_in": size.width, "num_classes": -1, "vocabulary": []}


def _ctc(tokenizer: Path, streaming: bool, size: RecogniserSize) -> dict[str, Any]:
    more = {"ctc_reduction": "mean_batch", "decoder": _ctc_decoder(size), "decoding": {"strategy": "greedy_batch"}}
    return {**_common(tokenizer, streaming, size), **more}


def _transducer(kind: str, tokenizer: Path, streaming: bool, size: RecogniserSize) -> dict[str, Any]:
    tdt = kind == "tdt"
    sizes: dict[str, Any] = {
        "enc_hidden": size.width,
        "pred_hidden": size.hidden,
        "joint_hidden": size.hidden,
    }
    if tdt:
        sizes |= {"tdt_durations": DURATIONS, "num_tdt_durations": len(DURATIONS)}
    return {
        **_common(tokenizer, streaming, size),
        "compute_eval_loss": False,
        "rnnt_reduction": "mean_batch",
        "model_defaults": sizes,
        "decoder": {
            "_target_": "nemo.collections.asr.modules.RNNTDecoder",
            "normalization_mode": None,
            "random_state_sampling": False,
            "blank_as_pad": True,
            "prednet": {
                "pred_hidden": size.hidden,
                "pred_rnn_layers": size.predictor_layers,
                "t_max": None,
                "dropout": 0.0,
            },
        },
        "joint": {
            "_target_": "nemo.collections.asr.modules.RNNTJoint",
            "log_softmax": None,
            "preserve_memory": False,
            "fuse_loss_wer": True,
            "fused_batch_size": 4,
            "jointnet": {
                "joint_hidden": size.hidden,
                "activation": "relu",
                "dropout": 0.0,
                "encoder_hidden": size.width,
                "pred_hidden": size.hidden,
            },
            **({"num_extra_outputs": len(DURATIONS)} if tdt else {}),
        },
        "decoding": {
            "strategy": "greedy_batch",
            "greedy": {"max_symbols": 3},
            **({"model_type": "tdt", "durations": DURATIONS} if tdt else {}),
        },
        "loss": {
            "loss_name": "tdt_pytorch" if tdt else "pytorch",
            **({"tdt_pytorch_kwargs": {"durations": DURATIONS, "sigma": 0.02, "omega": 0.1}} if tdt else {}),
        },
    }


def _hybrid(tokenizer: Path, streaming: bool, size: RecogniserSize) -> dict[str, Any]:
    auxiliary = {
        "ctc_loss_weight": 0.3,
        "use_cer": False,
        "ctc_reduction": "mean_batch",
        "decoder": _ctc_decoder(size),
        "decoding": {"strategy": "greedy_batch"},
    }
    return {**_transducer("rnnt", tokenizer, streaming, size), "aux_ctc": auxiliary}


def _liven(model: Any, gain: float = 6.0) -> None:
    """Centres and scales what decoders hear, so that random weights say something else to every sound.

    Without it every frame of a random encoder is nearly the same, and so would be every word.
    """
    import torch

    sound = torch.from_numpy(speechlike(20, seed=99))[None]
    with torch.no_grad():
        features, frames = model.preprocessor(input_signal=sound, length=torch.tensor([sound.shape[1]]))
        encoded, _ = model.encoder(audio_signal=features, length=frames)
        mean, deviation = encoded.mean(2)[0], encoded.std(2).mean()
        if hasattr(model, "joint"):
            heard, says = model.joint.enc, model.joint.joint_net[-1]
            heard.weight.mul_(gain / deviation)
            heard.bias.copy_(-(heard.weight @ mean))
            says.weight.mul_(gain)
            _favour(says.bias, model.tokenizer)
        for layers in (getattr(model, part, None) for part in ("ctc_decoder", "decoder")):
            if layers is not None and hasattr(layers, "decoder_layers"):
                layer = layers.decoder_layers[0]
                layer.weight.mul_(gain / deviation)
                bias = -(layer.weight[:, :, 0] @ mean)
                _favour(layer.bias, model.tokenizer)
                layer.bias.add_(bias)


def _favour(bias: Any, tokenizer: Any) -> None:
    """Makes silence and the beginnings of words likelier than chance."""
    bias.zero_()
    bias[PIECES] = 5.0
    for number, piece in enumerate(tokenizer.vocab):
        if piece.startswith("▁"):
            bias[number] = 3.0
