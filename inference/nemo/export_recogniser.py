"""Export of a recogniser in the published ONNX layout of NeMo models, which the onnx-asr package runs."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.models import ModelUnfit
from inference.nemo.onnx_export import (
    EXTERNAL_BYTES,
    Arrays,
    ExportResult,
    Report,
    Verification,
    externalise_weights,
    staged_output,
    write_description,
)
from inference.nemo.traceable_mel import describe_mel

# The spectra that onnx-asr computes; a model for others would misrecognise.
_SUPPORTED_FRONT_END = {
    "n_fft": 512,
    "window_samples": 400,
    "hop_samples": 160,
    "window": "hann",
    "normalise": "per_feature",
    "log_guard": 2.0**-24,
    "preemphasis": 0.97,
}
_BANDS = (80, 128)
_BLANK = "<blk>"
# Features of each chunk of a call: a breath, a sentence, half a minute, and several together.
_TEST_SIZES = ((20,), (333,), (3000,), (400, 57, 231), (120, 120))


def export_recogniser(
    model: Any, source: Path, destination: Path, report: Report, *, external_bytes: int = EXTERNAL_BYTES
) -> ExportResult:
    """Write graphs, ``vocab.txt``, ``config.json`` and ``<name>.json``, named like ``source``, into ``destination``.

    The graphs are ``encoder-model.onnx`` and ``decoder_joint-model.onnx`` of a transducer (a hybrid's CTC half is left
    out), or ``model.onnx`` of a CTC model.

    Args:
        model: an EncDecRNNTBPEModel, EncDecHybridRNNTCTCBPEModel or EncDecCTCModelBPE, float32 on the CPU.
        source: the checkpoint.
        destination: the folder.
        report: called with lines on progress.
        external_bytes: larger weights go to a ``.data`` file beside the graph.

    Raises:
        ModelUnfit: onnx-asr does not support its front end.
        ExportUnverified: a graph's results differ from torch's.
    """
    mel = describe_mel(model, source.name)
    _check_front_end(mel, source.name)
    kind = _kind(model)
    transducer = kind != "nemo-conformer-ctc"
    # Before the export, which modifies the model.
    cases = [_encoder_case(model, frames, int(mel["bands"]), seed) for seed, frames in enumerate(_TEST_SIZES)]
    steps = [_decoder_case(model, batch, seed) for seed, batch in enumerate((1, 4))] if transducer else []
    with staged_output(destination) as folder:
        report("tracing")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.export(str(folder / "model.onnx"))
        encoder = folder / ("encoder-model.onnx" if transducer else "model.onnx")
        externalise_weights(encoder, external_bytes)
        report("comparing with torch")
        checked = Verification(encoder)
        for what, inputs, expected in cases:
            _compare_encoder(checked, what, checked.run(inputs), expected)
        max_difference, count = checked.max_difference, checked.cases
        if transducer:
            checked = Verification(folder / "decoder_joint-model.onnx")
            for inputs, outputs in steps:
                found = checked.run(inputs)
                for name, value in outputs.items():
                    checked.compare(f"{name} of a step", found[name], value)
            max_difference, count = max(max_difference, checked.max_difference), count + checked.cases
        _write_layout(folder, model, kind, mel)
        write_description(
            folder / f"{source.stem}.json",
            source,
            {
                "task": "speech_recognition",
                "input": "mel",
                "mel": mel,
                "model_type": kind,
                "frame_s": float(model.encoder.subsampling_factor) * float(model.cfg.preprocessor.window_stride),
                "verified": {"cases": count, "largest_difference": max_difference},
            },
        )
        names = sorted(file.name for file in folder.iterdir())
    return ExportResult(tuple(destination / name for name in names), max_difference)


def _kind(model: Any) -> str:
    """Return onnx-asr's ``model_type``."""
    if not hasattr(model, "joint"):
        return "nemo-conformer-ctc"
    return "nemo-conformer-tdt" if getattr(model.decoding, "durations", None) else "nemo-conformer-rnnt"


def _check_front_end(mel: dict[str, Any], name: str) -> None:
    wrong = {key: mel[key] for key, value in _SUPPORTED_FRONT_END.items() if mel[key] != value}
    if mel["bands"] not in _BANDS:
        wrong["bands"] = mel["bands"]
    if wrong:
        found = ", ".join(f"{key} = {value}" for key, value in wrong.items())
        bands = " or ".join(map(str, _BANDS))
        supported = ", ".join(f"{key} = {value}" for key, value in _SUPPORTED_FRONT_END.items())
        raise ModelUnfit(
            f"{name}: the ONNX layout of recognisers does not support its front end ({found}); "
            f"supported: bands {bands}, {supported}. Run the checkpoint itself"
        )


def _write_layout(folder: Path, model: Any, kind: str, mel: dict[str, Any]) -> None:
    lines = [f"{token} {number}\n" for number, token in enumerate([*model.tokenizer.vocab, _BLANK])]
    (folder / "vocab.txt").write_text("".join(lines), "utf-8")
    config = {
        "model_type": kind,
        "features_size": mel["bands"],
        "subsampling_factor": int(model.encoder.subsampling_factor),
    }
    if kind != "nemo-conformer-ctc":
        config["max_tokens_per_step"] = int(model.cfg.decoding.greedy.get("max_symbols") or 10)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _encoder_case(model: Any, frames: tuple[int, ...], bands: int, seed: int) -> tuple[str, Arrays, list[Any]]:
    """Return a case's name, the graph's inputs, and torch's result of each chunk alone, (frames, width)."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(frames)
    features = torch.randn(len(frames), bands, max(frames), generator=random)
    features *= torch.arange(max(frames))[None, None] < lengths[:, None, None]
    expected = []
    with torch.inference_mode():
        for row, count in enumerate(frames):
            given = {
                "processed_signal": features[row : row + 1, :, :count],
                "processed_signal_length": lengths[row, None],
            }
            found = model.forward(**given)[0][0]
            expected.append((found.T if hasattr(model, "joint") else found).numpy())
    return f"chunks of {frames} features", {"audio_signal": features.numpy(), "length": lengths.numpy()}, expected


def _compare_encoder(checked: Verification, what: str, found: Arrays, expected: list[Any]) -> None:
    """Compare chunk by chunk, ignoring padded frames. Raises ExportUnverified."""
    transducer = "outputs" in found
    for row, value in enumerate(expected):
        own = found["outputs"][row].T if transducer else found["logprobs"][row]
        checked.compare(what, own[: len(value)], value)
        if transducer:
            checked.compare(f"{what}: encoded_lengths", found["encoded_lengths"][row], np.array(len(value)))


def _decoder_case(model: Any, batch: int, seed: int) -> tuple[Arrays, Arrays]:
    """Return inputs for a step of prediction and joint network, and torch's results."""
    random = torch.Generator().manual_seed(seed)
    layers, hidden = int(model.decoder.pred_rnn_layers), int(model.decoder.pred_hidden)
    width = int(model.joint.encoder_hidden)
    states = torch.randn(2, layers, batch, hidden, generator=random)
    encoded = torch.randn(batch, width, 1, generator=random)
    tokens = torch.randint(0, len(model.tokenizer.vocab), (batch, 1), generator=random)
    with torch.inference_mode():
        predicted, after = model.decoder.predict(tokens, (states[0], states[1]), add_sos=False, batch_size=batch)
        # Exported joint networks return logits, whatever the model derives from them.
        joint = model.joint.joint_net(
            model.joint.project_encoder(encoded.transpose(1, 2))[:, :, None]
            + model.joint.project_prednet(predicted)[:, None]
        )
    inputs = {
        "encoder_outputs": encoded.numpy(),
        "targets": tokens.to(torch.int32).numpy(),
        "target_length": np.ones(batch, np.int32),
        "input_states_1": states[0].numpy(),
        "input_states_2": states[1].numpy(),
    }
    outputs = {"outputs": joint.numpy(), "output_states_1": after[0].numpy(), "output_states_2": after[1].numpy()}
    return inputs, outputs
