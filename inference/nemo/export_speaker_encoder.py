"""Export of a speaker encoder (TitaNet, SpeakerNet, ECAPA-TDNN): samples or mel spectra to unit-length embeddings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, ModelUnfit
from inference.nemo.onnx_export import (
    Arrays,
    ExportResult,
    Report,
    Verification,
    speech_like_noise,
    staged_output,
    trace,
    write_description,
)
from inference.nemo.speaker_encoder import NemoSpeakerEncoder, masks_padding
from inference.nemo.traceable_mel import TraceableMel, describe_mel

# Usual windows, the end of a segment, and one longer than any that the graph was traced with.
_TEST_LENGTHS_S = ((1.5,), (0.4, 1.5, 1.1), (3.0,), (1.5, 1.5, 1.5, 1.5), (0.73,), (8.0, 1.5))


def export_speaker_encoder(
    model: Any, source: Path, destination: Path, input_kind: str, report: Report
) -> ExportResult:
    """Write ``<name>.onnx`` and ``<name>.json``, named like ``source``, into ``destination``.

    The graph returns ``vectors`` (n, dimension) of unit length, from ``samples`` (n, t) or ``mels`` (n, bands, frames)
    with ``lengths`` (n), int64. Where the model masks padding, a batch may hold windows of different lengths.

    Args:
        model: an EncDecSpeakerLabelModel, float32 on the CPU.
        source: the checkpoint.
        destination: the folder.
        input_kind: "samples" or "mel".
        report: called with lines on progress.

    Raises:
        ModelUnfit: its front end cannot be described.
        ExportUnverified: the graph's embeddings differ from torch's.
    """
    mel = describe_mel(model, source.name)
    masks = masks_padding(model)
    if input_kind == "mel" and not masks and model.preprocessor.featurizer.pad_to:
        raise ModelUnfit(
            f"{source.name}: its encoder does not mask the padding of preprocessor.pad_to; export with --input samples"
        )
    encoder = NemoSpeakerEncoder(model)
    # Before tracing, which modifies the model.
    cases = [
        _case(encoder, mel, input_kind, lengths if masks else lengths[:1] * len(lengths), seed)
        for seed, lengths in enumerate(_TEST_LENGTHS_S)
    ]
    name = source.stem
    with staged_output(destination) as folder:
        graph = folder / f"{name}.onnx"
        report(f"tracing from {input_kind}")
        traced = _UnitVectors(model, TraceableMel(model, mel) if input_kind == "samples" else None)
        signal, example = _example(input_kind, mel)
        trace(
            traced,
            {signal: example, "lengths": torch.full((2,), example.shape[-1])},
            ["vectors"],
            {signal: (0, example.dim() - 1), "lengths": (0,), "vectors": (0,)},
            graph,
        )
        report("comparing with torch")
        checked = Verification(graph)
        for what, inputs, expected in cases:
            checked.compare(what, checked.run(inputs)["vectors"], expected)
        write_description(
            folder / f"{name}.json",
            source,
            {
                "task": "speaker_vectors",
                "input": input_kind,
                "mel": mel,
                "dimension": encoder.profile.dimension,
                "output": "vectors",
                "lengths_may_differ": masks,
                "profile": asdict(encoder.profile),
                "verified": {"cases": checked.cases, "largest_difference": checked.max_difference},
            },
        )
    return ExportResult((destination / f"{name}.onnx", destination / f"{name}.json"), checked.max_difference)


class _UnitVectors(torch.nn.Module):  # type: ignore[misc]
    """The model from samples or spectra to embeddings of unit length."""

    def __init__(self, model: Any, front_end: TraceableMel | None) -> None:
        super().__init__()
        self._front_end, self._encoder, self._decoder = front_end, model.encoder, model.decoder
        _mask_any_length(self._encoder)

    def forward(self, signal: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        features, frames = (signal, lengths) if self._front_end is None else self._front_end(signal, lengths)
        encoded, frames = self._encoder(audio_signal=features, length=frames)
        _, vectors = self._decoder(encoder_output=encoded, length=frames)
        return torch.nn.functional.normalize(vectors, dim=1)


def _mask_any_length(encoder: Any) -> None:
    """Compute masks anew: NeMo's layers keep one of the longest input seen, which a trace would freeze."""
    from nemo.collections.asr.parts.submodules.jasper import MaskedConv1d, SqueezeExcite

    def masked(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return x * (torch.arange(x.shape[2], device=x.device)[None] < lengths[:, None])[:, None]

    def padding_mask(lengths: torch.Tensor, max_audio_length: int, device: Any) -> torch.Tensor:
        return (torch.arange(max_audio_length, device=device)[None] < lengths[:, None])[:, None]

    for layer in encoder.modules():
        if isinstance(layer, MaskedConv1d) and layer.use_mask:
            layer.mask_input = masked
            layer.update_masked_length = lambda *_, **__: None
        elif isinstance(layer, SqueezeExcite):
            layer.make_pad_mask = padding_mask
            layer.set_max_len = lambda *_, **__: None


def _example(input_kind: str, mel: dict[str, Any]) -> tuple[str, torch.Tensor]:
    """Return the signal's name and two examples of 1.5 s."""
    samples = int(1.5 * SAMPLE_RATE_HZ)
    if input_kind == "samples":
        return "samples", torch.from_numpy(np.stack(speech_like_noise([samples, samples], seed=99)))
    return "mels", torch.randn(2, int(mel["bands"]), samples // int(mel["hop_samples"]))


def _case(
    encoder: NemoSpeakerEncoder, mel: dict[str, Any], input_kind: str, lengths_s: tuple[float, ...], seed: int
) -> tuple[str, Arrays, NDArray[np.float32]]:
    """Return a case's name, the graph's inputs, and torch's embeddings of each window alone."""
    windows = speech_like_noise([round(length * SAMPLE_RATE_HZ) for length in lengths_s], seed)
    expected = np.concatenate([encoder([window]) for window in windows])
    lengths = np.array([len(window) for window in windows], np.int64)
    padded = np.zeros((len(windows), lengths.max()), np.float32)
    for row, window in zip(padded, windows, strict=True):
        row[: len(window)] = window
    what = f"vectors of windows of {lengths_s} s"
    if input_kind == "samples":
        return what, {"samples": padded, "lengths": lengths}, expected
    with torch.inference_mode():
        spectra = encoder.features(torch.from_numpy(padded), torch.from_numpy(lengths))[0].numpy()
    frames = lengths // int(mel["hop_samples"])
    return what, {"mels": spectra[:, :, : frames.max()], "lengths": frames}, expected
