"""The JSON description of an exported Sortformer, and checks of the graph against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inference.models import SAMPLE_RATE_HZ, ModelUnfit
from inference.onnx.features import LogMelSettings
from inference.onnx.runtime import (
    Tensor,
    check_graph,
    description_path,
    format_tensors,
    graph_inputs,
    read_as,
    read_object,
)
from inference.onnx.speakers.sortformer_cache import CacheRules
from inference.sortformer import FEATURES_PER_FRAME, FFT, HOP_SAMPLES, WINDOW_SAMPLES, StreamingSettings

TASK = "diarization"


class SortformerDescription(BaseModel):
    """The JSON file of a streaming Sortformer, specified in docs/engines-export.md."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: str
    sample_rate_hz: int
    input: Literal["mel"]
    mel: LogMelSettings
    dimension: int = Field(ge=1, le=65_536)
    """Width of cache and fifo."""
    max_speakers: int = Field(ge=1, le=64)
    subsampling: int
    """Features in a frame."""
    streaming: CacheRules


def read_description(model: Path) -> SortformerDescription:
    """Read the file beside ``model``. Raises ModelMissing, ModelCorrupt, or ModelUnfit: it cannot be served."""
    path = description_path(model)
    if (task := read_object(path).get("task")) != TASK:
        raise ModelUnfit(f"{path.name}: task is {task!r}; expected {TASK!r}")
    description = read_as(path, SortformerDescription)
    mel = description.mel
    fixed = {
        "sample_rate_hz": (description.sample_rate_hz, SAMPLE_RATE_HZ),
        "subsampling": (description.subsampling, FEATURES_PER_FRAME),
        "mel.hop_samples": (mel.hop_samples, HOP_SAMPLES),
        "mel.n_fft": (mel.n_fft, FFT),
        "mel.window_samples": (mel.window_samples, WINDOW_SAMPLES),
        # Normalisation over the whole recording is impossible on a stream.
        "mel.normalise": (mel.normalise, "none"),
    }
    for field, (found, needed) in fixed.items():
        if found != needed:
            raise ModelUnfit(f"{path.name}: {field} is {found!r}; expected {needed!r}")
    return description


def check_settings(description: SortformerDescription, settings: StreamingSettings, model: Path) -> None:
    """Check that the speaker cache holds each speaker and its silence. Raises ModelUnfit."""
    silent = description.streaming.spkcache_sil_frames_per_spk
    needed = (1 + silent) * description.max_speakers
    if settings.speaker_cache < needed:
        raise ModelUnfit(
            f"{description_path(model).name}: {description.max_speakers} speakers with "
            f"spkcache_sil_frames_per_spk {silent} need a speaker cache of {needed} frames; "
            f"that of this latency has {settings.speaker_cache}"
        )


def check_step(session: Any, model: Path, description: SortformerDescription) -> None:
    """Check the graph's inputs and outputs against the description. Raises ModelUnfit."""
    width, speakers = description.dimension, description.max_speakers
    inputs = [
        tensor
        for name, last in (("chunk", description.mel.bands), ("spkcache", width), ("fifo", width))
        for tensor in (Tensor(name, "float", (None, None, last)), Tensor(f"{name}_lengths", "int64", (None,)))
    ]
    outputs = [
        Tensor("preds", "float", (None, None, speakers)),
        Tensor("chunk_embs", "float", (None, None, width)),
        Tensor("chunk_emb_lengths", "int64", (None,)),
    ]
    check_graph(session, model, inputs, outputs)
    fixed = [tensor for tensor in graph_inputs(session) if any(size is not None for size in tensor.shape[:2])]
    if fixed:
        raise ModelUnfit(
            f"{model.name} takes {format_tensors(fixed)}; sessions and frames must be of any number, "
            "as `meetra models export` leaves them"
        )
