"""Export of one step of a streaming Sortformer: chunk, speaker cache and fifo of several sessions to probabilities.

The graph does not update the caches; its caller does (Medennikov et al., "Streaming Sortformer: Speaker Cache-Based
Online Speaker Diarization with Arrival-Time Ordering", Interspeech 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from inference.models import ModelUnfit
from inference.nemo.onnx_export import (
    Arrays,
    ExportResult,
    Report,
    Verification,
    externalise_weights,
    staged_output,
    trace,
    write_description,
)
from inference.nemo.traceable_mel import describe_mel

_INPUTS = ("chunk", "chunk_lengths", "spkcache", "spkcache_lengths", "fifo", "fifo_lengths")
_OUTPUTS = ("preds", "chunk_embs", "chunk_emb_lengths")
_DYNAMIC_AXES = {
    "chunk": (0, 1),
    "chunk_lengths": (0,),
    "spkcache": (0, 1),
    "spkcache_lengths": (0,),
    "fifo": (0, 1),
    "fifo_lengths": (0,),
    "preds": (0, 1),
    "chunk_embs": (0, 1),
    "chunk_emb_lengths": (0,),
}
# Per session: features of the chunk, used frames of the speaker cache and of the fifo. The first step of one session,
# all full, sessions of different ages in one call, and the last, short step.
_TEST_SIZES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((104, 0, 0),),
    ((112, 12, 0),),
    ((120, 188, 188),),
    ((120, 188, 40), (112, 7, 0), (104, 0, 0)),
    ((33, 188, 188), (112, 188, 0)),
    ((120, 100, 3),) * 4,
)


def export_sortformer(model: Any, source: Path, destination: Path, report: Report) -> ExportResult:
    """Write ``<name>.onnx`` and ``<name>.json``, named like ``source``, into ``destination``.

    The graph takes ``chunk`` (n, features, bands), ``spkcache`` and ``fifo`` (n, frames, width), each float32 with its
    ``_lengths`` (n), int64, and returns ``preds`` (n, frames of all three packed to the left, speakers), the chunk's
    frames before the encoder ``chunk_embs`` (n, frames, width), and their number. All sizes but the widths are free;
    caches may be empty.

    Args:
        model: a streaming SortformerEncLabelModel, float32 on the CPU.
        source: the checkpoint.
        destination: the folder.
        report: called with lines on progress.

    Raises:
        ModelUnfit: it is not a streaming model, or its front end cannot be described.
        ExportUnverified: the graph's probabilities differ from torch's.
    """
    if not model.streaming_mode:
        raise ModelUnfit(f"{source.name}: it processes whole recordings only; export a streaming Sortformer")
    mel = describe_mel(model, source.name)
    modules = model.sortformer_modules
    width, bands = int(modules.fc_d_model), int(mel["bands"])
    cases = [_case(model, sessions, width, bands, seed) for seed, sessions in enumerate(_TEST_SIZES)]
    # NeMo scripts its own packing, which the exporter of torch 2.9 and later rejects.
    model.concat_and_pad_script = pack_left
    name = source.stem
    with staged_output(destination) as folder:
        graph = folder / f"{name}.onnx"
        report("tracing")
        inputs = _random_inputs(((120, 188, 188), (120, 40, 88)), width, bands, seed=99)
        trace(_Step(model), inputs, _OUTPUTS, _DYNAMIC_AXES, graph)
        files = externalise_weights(graph)
        report("comparing with torch")
        checked = Verification(graph)
        for what, given, expected in cases:
            _compare(checked, what, checked.run(given), expected)
        write_description(
            folder / f"{name}.json",
            source,
            {
                "task": "diarization",
                "input": "mel",
                "mel": mel,
                "dimension": width,
                "max_speakers": int(modules.n_spk),
                "subsampling": int(modules.subsampling_factor),
                "inputs": list(_INPUTS),
                "outputs": list(_OUTPUTS),
                "streaming": {
                    "chunk_len": int(modules.chunk_len),
                    "chunk_left_context": int(modules.chunk_left_context),
                    "chunk_right_context": int(modules.chunk_right_context),
                    "fifo_len": int(modules.fifo_len),
                    "spkcache_len": int(modules.spkcache_len),
                    "spkcache_update_period": int(modules.spkcache_update_period),
                    "spkcache_sil_frames_per_spk": int(modules.spkcache_sil_frames_per_spk),
                    "sil_threshold": float(modules.sil_threshold),
                    "pred_score_threshold": float(modules.pred_score_threshold),
                    "strong_boost_rate": float(modules.strong_boost_rate),
                    "weak_boost_rate": float(modules.weak_boost_rate),
                    "min_pos_scores_rate": float(modules.min_pos_scores_rate),
                    "scores_boost_latest": float(modules.scores_boost_latest),
                },
                "verified": {"cases": checked.cases, "largest_difference": checked.max_difference},
            },
        )
    return ExportResult(
        tuple(destination / file.name for file in (*files, Path(f"{name}.json"))), checked.max_difference
    )


def pack_left(embeddings: Sequence[Any], lengths: Sequence[Any]) -> tuple[Any, Any]:
    """Compute NeMo's ``concat_and_pad`` by sorting instead of a loop.

    Args:
        embeddings: tensors of shape (n, frames, width); frames may differ.
        lengths: number of used frames in each, shape (n).

    Returns:
        The used frames of all tensors, packed to the left, then zeros, shape (n, sum of frames, width); and their
        number, shape (n).
    """
    joined = torch.cat(list(embeddings), 1)
    positions = torch.arange(joined.shape[1], device=joined.device)[None]
    valid = torch.cat(
        [
            torch.arange(part.shape[1], device=joined.device)[None] < length[:, None]
            for part, length in zip(embeddings, lengths, strict=True)
        ],
        1,
    )
    order = torch.argsort((~valid).to(torch.int32) * joined.shape[1] + positions, dim=1)
    packed = torch.gather(joined, 1, order[:, :, None].expand(-1, -1, joined.shape[2]))
    total = torch.stack(list(lengths)).sum(0)
    return packed * (positions < total[:, None])[:, :, None].to(packed.dtype), total


class _Step(torch.nn.Module):  # type: ignore[misc]
    """NeMo's ``forward_for_export`` as a module."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self._model.forward_for_export(*inputs)


def _random_inputs(
    sessions: Sequence[tuple[int, int, int]], width: int, bands: int, seed: int
) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    found = {}
    for name, count, column in (("chunk", bands, 0), ("spkcache", width, 1), ("fifo", width, 2)):
        lengths = torch.tensor([session[column] for session in sessions])
        found[name] = torch.randn(len(sessions), int(lengths.max()), count, generator=random)
        found[f"{name}_lengths"] = lengths
    return found


def _case(
    model: Any, sessions: Sequence[tuple[int, int, int]], width: int, bands: int, seed: int
) -> tuple[str, Arrays, list[Any]]:
    """Return a case's name, the graph's inputs, and torch's results of each session alone."""
    inputs = _random_inputs(sessions, width, bands, seed)
    expected = []
    with torch.inference_mode():
        for row, (features, cache, fifo) in enumerate(sessions):
            own = {
                "chunk": inputs["chunk"][row : row + 1, :features],
                "spkcache": inputs["spkcache"][row : row + 1, :cache],
                "fifo": inputs["fifo"][row : row + 1, :fifo],
            }
            lengths = {f"{name}_lengths": torch.tensor([value.shape[1]]) for name, value in own.items()}
            given = own | lengths
            expected.append([value.numpy() for value in model.forward_for_export(*(given[name] for name in _INPUTS))])
    what = f"steps of (features, cache, fifo) {sessions}"
    return what, {name: value.numpy() for name, value in inputs.items()}, expected


def _compare(checked: Verification, what: str, found: Arrays, expected: list[Any]) -> None:
    """Compare session by session, ignoring padded frames. Raises ExportUnverified."""
    for row, (preds, embeddings, frames) in enumerate(expected):
        checked.compare(f"{what}: preds", found["preds"][row, : preds.shape[1]], preds[0])
        checked.compare(f"{what}: chunk_embs", found["chunk_embs"][row, : embeddings.shape[1]], embeddings[0])
        checked.compare(f"{what}: chunk_emb_lengths", found["chunk_emb_lengths"][row : row + 1], frames)
