"""SpeakerEncoder on NVIDIA NeMo's TitaNet.

Koluguri, Park and Ginsburg, "TitaNet: Neural Model for Speaker Representation with 1D Depth-wise Separable Convolutions
and Global Context", ICASSP 2022.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, EncoderProfile, ModelUnfit, Samples, SpeakerEncoder
from inference.nemo.checkpoint import load_checkpoint

SPEAKER_ENCODERS = ("EncDecSpeakerLabelModel",)
BATCH_SAMPLES = 192 * SAMPLE_RATE_HZ
"""Samples in one pass, padding included: 128 windows of 1.5 s."""
# Below two frames a band has no deviation to divide by; below a tenth of a second there is no voice either.
MIN_SAMPLES = SAMPLE_RATE_HZ // 10


def default_profile(dimension: int) -> EncoderProfile:
    """Return the profile of a TitaNet: initial values from publications, not measured here.

    Windows of 1.5 s every 0.75 s are the longest scale of NeMo's diarization of telephone speech. Two voices are told
    apart at a cosine of 0.4, where NeMo's ``verify_speakers`` reports another speaker (its threshold is 0.7 of (cosine
    + 1) / 2). Centroids, in which the noise of windows is averaged out, are one voice from 0.7 on, across recordings
    too. NeMo's clustering looks for at most 8 speakers.
    """
    return EncoderProfile(
        dimension=dimension,
        window_s=1.5,
        hop_s=0.75,
        split_similarity=0.4,
        merge_similarity=0.7,
        online_similarity=0.4,
        min_cluster_s=1.5,
        max_speakers=8,
        same_voice_similarity=0.7,
    )


def load_speaker_encoder(path: Path, *, device: str, dtype: str) -> SpeakerEncoder:
    """Load a speaker encoder.

    Args:
        path: of a ``.nemo`` checkpoint: an EncDecSpeakerLabelModel for 16 kHz (TitaNet, SpeakerNet, ECAPA-TDNN).
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", "bfloat16" or "float16".

    Raises:
        ModelMissing: the file is missing, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not safe to load.
        ModelUnfit: it is not a speaker encoder.
    """
    model = load_checkpoint(path, SPEAKER_ENCODERS, device=device, dtype=dtype)
    if int(model.cfg.preprocessor.sample_rate) != SAMPLE_RATE_HZ:
        raise ModelUnfit(
            f"{path.name}: preprocessor.sample_rate: {model.cfg.preprocessor.sample_rate} Hz; "
            f"expected {SAMPLE_RATE_HZ} Hz"
        )
    return NemoSpeakerEncoder(model)


def embedding_dimension(model: Any) -> int:
    """Return the dimension of an EncDecSpeakerLabelModel's embeddings: the width of its first layer after pooling."""
    sizes = model.cfg.decoder.emb_sizes
    # ``SpeakerDecoder`` returns the embedding before its last layer's activation.
    return int(sizes if isinstance(sizes, int) else sizes[-1])


def masks_padding(model: Any) -> bool:
    """Return whether every layer masks padding, so that windows of any length can share a batch."""
    from nemo.collections.asr.modules import ConvASREncoder

    return isinstance(model.encoder, ConvASREncoder) and bool(model.cfg.encoder.get("conv_mask", True))


class NemoSpeakerEncoder:
    """Embeds many windows in one pass.

    Windows of different lengths share a pass where the model masks padding, as TitaNet does; elsewhere (ECAPA-TDNN in
    NeMo masks only its pooling) only windows of equal length do. An embedding depends on its window alone, except for
    rounding.
    """

    def __init__(self, model: Any, profile: EncoderProfile | None = None) -> None:
        """``model``: an EncDecSpeakerLabelModel in evaluation mode; ``profile``: overrides ``default_profile``."""
        self.profile = profile or default_profile(embedding_dimension(model))
        self._model = model
        # Statistics over time need single precision, whatever the rest uses (NeMo's pooling mixes the two).
        model.decoder.float()
        self._mixes_lengths = masks_padding(model)

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Implement SpeakerEncoder; windows under 0.1 s are padded with silence."""
        vectors = np.zeros((len(windows), self.profile.dimension), np.float32)
        for batch in self._batches(windows):
            vectors[batch] = self._encode([windows[index] for index in batch])
        return vectors

    def features(self, samples: Any, lengths: Any) -> tuple[Any, Any]:
        """Return the spectra (n, bands, frames) of samples (n, t) with lengths (n), and the frames of each (n)."""
        features, frames = self._model.preprocessor(input_signal=samples, length=lengths)
        return features, frames

    def _batches(self, windows: Sequence[Samples]) -> Iterator[list[int]]:
        """Yield indices of windows to batch, longest first."""
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for index in sorted(range(len(windows)), key=lambda index: -len(windows[index])):
            groups[0 if self._mixes_lengths else _length(windows[index])].append(index)
        for group in groups.values():
            batch: list[int] = []
            for index in group:
                if batch and (len(batch) + 1) * _length(windows[batch[0]]) > BATCH_SAMPLES:
                    yield batch
                    batch = []
                batch.append(index)
            yield batch

    def _encode(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        import torch

        lengths = np.array([_length(window) for window in windows])
        padded = np.zeros((len(windows), lengths.max()), np.float32)
        for row, window in zip(padded, windows, strict=True):
            row[: len(window)] = window
        weights = next(self._model.encoder.parameters())
        with torch.inference_mode():
            features, frames = self.features(
                torch.from_numpy(padded).to(weights.device), torch.from_numpy(lengths).to(weights.device)
            )
            encoded, frames = self._model.encoder(audio_signal=features.to(weights.dtype), length=frames)
            _, vectors = self._model.decoder(encoder_output=encoded.float(), length=frames)
            vectors = torch.nn.functional.normalize(vectors, dim=1)
            return np.asarray(vectors.cpu().numpy(), np.float32)


def _length(window: Samples) -> int:
    return max(len(window), MIN_SAMPLES)
