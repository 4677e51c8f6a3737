"""Any speaker encoder exported to ONNX, as its JSON file describes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.models import SAMPLE_RATE_HZ, EncoderProfile, ModelUnfit, Samples
from inference.onnx.features import KaldiSettings, KaldiSpectra, LogMel, LogMelSettings
from inference.onnx.runtime import (
    ON_CPU,
    Execution,
    Tensor,
    description_path,
    format_tensors,
    graph_inputs,
    graph_outputs,
    open_session,
    read_as,
    varies_with_batch,
)
from inference.onnx.speakers.equal_length_batches import encode_in_batches

BATCH = 64
TASK = "speaker_vectors"
# Shorter windows are padded with silence: strided networks need some frames.
MIN_SAMPLES = int(0.4 * SAMPLE_RATE_HZ)


class _Profile(BaseModel):
    """See EncoderProfile."""

    model_config = ConfigDict(extra="forbid")

    dimension: int | None = Field(None, ge=1, le=65_536)
    window_s: float = Field(gt=0, le=30)
    hop_s: float = Field(gt=0, le=30)
    split_similarity: float = Field(ge=-1, le=1)
    merge_similarity: float = Field(ge=-1, le=1)
    online_similarity: float = Field(ge=-1, le=1)
    min_cluster_s: float = Field(ge=0, le=60)
    max_speakers: int = Field(ge=1, le=64)
    same_voice_similarity: float | None = Field(None, ge=-1, le=1)
    """None: ``merge_similarity``."""
    different_voices_similarity: float | None = Field(None, ge=-1, le=1)


class SpeakerEncoderDescription(BaseModel):
    """The JSON file of an encoder."""

    model_config = ConfigDict(extra="ignore")

    task: str
    sample_rate_hz: int
    input: Literal["mel", "kaldi", "samples"]
    """Log-mel spectra (n, bands, frames), Kaldi's spectra (n, frames, bands), or samples (n, samples)."""
    mel: LogMelSettings | None = None
    kaldi: KaldiSettings | None = None
    dimension: int = Field(ge=1, le=65_536)
    profile: _Profile
    output: str | None = None
    """The output with the embeddings; None: the only one of that dimension."""


@dataclass(frozen=True, slots=True)
class _FrontEnd:
    """Computes the graph's input from a window."""

    compute: Callable[[Samples], NDArray[np.float32]]
    shape: tuple[int | None, ...]
    """With n first; None: any length."""
    time: int
    """The axis of time."""
    label: str


def _build_front_end(description: SpeakerEncoderDescription) -> _FrontEnd:
    if description.input == "mel":
        mel = LogMel(description.mel or LogMelSettings())
        bands = mel.settings.bands
        return _FrontEnd(mel, (None, bands, None), 2, f"mel spectra (n, {bands}, frames)")
    if description.input == "kaldi":
        kaldi = KaldiSpectra(description.kaldi or KaldiSettings())
        bands = kaldi.settings.bands
        return _FrontEnd(kaldi, (None, None, bands), 1, f"Kaldi's spectra (n, frames, {bands})")
    return _FrontEnd(lambda samples: samples, (None, None), 1, "samples (n, samples)")


class OnnxSpeakerEncoder:
    """SpeakerEncoder on a graph that takes spectra or samples and, optionally, their lengths."""

    def __init__(self, model: Path, execution: Execution = ON_CPU) -> None:
        """Load ``model`` and its ``.json`` file of the same name.

        Raises:
            ModelMissing, ModelCorrupt: a file is missing or cannot be parsed.
            ModelUnfit: another task, rate, dimension or graph.
        """
        description = read_as(description_path(model), SpeakerEncoderDescription)
        file = description_path(model).name
        if description.task != TASK:
            raise ModelUnfit(f"{file}: task is {description.task!r}; expected {TASK!r}")
        if description.sample_rate_hz != SAMPLE_RATE_HZ:
            raise ModelUnfit(
                f"{file}: sample_rate_hz is {description.sample_rate_hz}; audio has {SAMPLE_RATE_HZ}, "
                "and a model for another rate cannot be used"
            )
        fields = description.profile.model_dump()
        if fields["dimension"] not in (None, description.dimension):
            raise ModelUnfit(
                f"{file}: profile.dimension is {fields['dimension']}, and dimension {description.dimension}"
            )
        if fields["same_voice_similarity"] is None:
            fields["same_voice_similarity"] = fields["merge_similarity"]
        self.profile = EncoderProfile(**(fields | {"dimension": description.dimension}))
        self._front_end = _build_front_end(description)
        self._session = open_session(model, execution)
        self._signal, self._lengths = self._input_names(model)
        self._output = self._output_name(model, description)
        self._batch = 1 if varies_with_batch(model) else BATCH

    def _input_names(self, model: Path) -> tuple[str, Tensor | None]:
        found = graph_inputs(self._session)
        front_end = self._front_end
        signals = [t for t in found if t.dtype == "float" and len(t.shape) == len(front_end.shape)]
        lengths = [t for t in found if t.dtype in ("int64", "int32") and len(t.shape) == 1]
        matches = len(signals) == 1 and len(lengths) <= 1 and len(found) == 1 + len(lengths)
        # A graph may leave the number of bands open; everything else must be.
        if not matches or any(
            size not in (None, wanted) for size, wanted in zip(signals[0].shape, front_end.shape, strict=True)
        ):
            raise ModelUnfit(
                f"{model.name} takes {format_tensors(found)}; expected one float input of {front_end.label}, "
                "of any n and length, and at most one of int64 lengths (n)"
            )
        return signals[0].name, lengths[0] if lengths else None

    def _output_name(self, model: Path, description: SpeakerEncoderDescription) -> str:
        found = graph_outputs(self._session)
        usable = [t for t in found if t.dtype == "float" and len(t.shape) == 2]
        if description.output is not None:
            usable = [t for t in usable if t.name == description.output]
            matching = [t for t in usable if t.shape[1] in (None, description.dimension)]
        else:
            matching = [t for t in usable if t.shape[1] == description.dimension] or (
                [t for t in usable if t.shape[1] is None] if len(usable) == 1 else []
            )
        if len(matching) != 1:
            raise ModelUnfit(
                f"{model.name} gives {format_tensors(found)}; expected one float output of vectors "
                f'(n, {description.dimension}); where there are several, name it as "output" in '
                f"{description_path(model).name}"
            )
        return matching[0].name

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Implement SpeakerEncoder; windows under 0.4 s are padded with silence."""
        signals = [self._front_end.compute(_padded(window)) for window in windows]
        return encode_in_batches(signals, self.profile.dimension, self._batch, self._encode)

    def _encode(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return embeddings of signals of one length, unit length."""
        inputs = {self._signal: signals}
        if self._lengths is not None:
            inputs[self._lengths.name] = np.full(len(signals), signals.shape[self._front_end.time], self._lengths.dtype)
        (found,) = self._session.run([self._output], inputs)
        if found.shape != (len(signals), self.profile.dimension):
            raise ModelUnfit(
                f"the speaker encoder gives vectors of shape {found.shape} for {len(signals)} windows; "
                f"its description says dimension {self.profile.dimension}"
            )
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)


def _padded(window: Samples) -> Samples:
    samples = np.asarray(window, np.float32)
    return np.pad(samples, (0, MIN_SAMPLES - len(samples))) if len(samples) < MIN_SAMPLES else samples
