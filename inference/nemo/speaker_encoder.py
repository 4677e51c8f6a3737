"""SpeakerEncoder on NVIDIA NeMo's TitaNet.

Koluguri, Park and Ginsburg, "TitaNet: Neural Model for Speaker Representation with 1D Depth-wise Separable
Convolutions and Global Context", ICASSP 2022.
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
"""Samples in one pass, the padding counted: 128 windows of 1.5 s."""
# Under two frames a band has no deviation to be divided by; under a tenth of a second there is no voice either.
MIN_SAMPLES = SAMPLE_RATE_HZ // 10


def profile_of(dimension: int) -> EncoderProfile:
    """How a TitaNet is used: values to begin with, published, and not measured here.

    Windows of 1.5 s every 0.75 s are the longest scale of NeMo's diarization of telephone speech. Two voices
    are told apart at a cosine of 0.4, where NeMo's ``verify_speakers`` says "another speaker" (its threshold is
    0.7 of (cosine + 1) / 2). Centroids, over which a window's noise is averaged out, are one voice from 0.7 on,
    also those of two recordings.
    NeMo's clustering looks for at most 8 speakers.
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
    """The speaker encoder in the ``.nemo`` file at ``path``.

    Args:
        path: of the checkpoint: an EncDecSpeakerLabelModel for 16 kHz (TitaNet, SpeakerNet, ECAPA-TDNN).
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", or "bfloat16" or "float16".

    Raises:
        ModelMissing: there is no such file, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not a safe one.
        ModelUnfit: it holds something else than a speaker encoder.
    """
    model = load_checkpoint(path, SPEAKER_ENCODERS, device=device, dtype=dtype)
    if int(model.cfg.preprocessor.sample_rate) != SAMPLE_RATE_HZ:
        raise ModelUnfit(
            f"{path.name}: preprocessor.sample_rate: {model.cfg.preprocessor.sample_rate} Hz; "
            f"a speaker encoder for {SAMPLE_RATE_HZ} Hz is needed"
        )
    return NemoSpeakerEncoder(model)


def dimension_of(model: Any) -> int:
    """Length of the vectors of an EncDecSpeakerLabelModel: the width of its first layer after pooling."""
    sizes = model.cfg.decoder.emb_sizes
    # ``SpeakerDecoder`` gives the vector before its last layer's activation.
    return int(sizes if isinstance(sizes, int) else sizes[-1])


def knows_padding(model: Any) -> bool:
    """True where every layer leaves out what is beyond a window's end, so that windows of any length go together."""
    from nemo.collections.asr.modules import ConvASREncoder

    return isinstance(model.encoder, ConvASREncoder) and bool(model.cfg.encoder.get("conv_mask", True))


class NemoSpeakerEncoder:
    """Vectors of many windows in one pass.

    Windows of different lengths share a pass where the model masks what is beyond each one's end, as TitaNet
    does; elsewhere (ECAPA-TDNN in NeMo masks only its pooling) only windows of equal length do. A vector depends on its
    window alone, but for rounding.
    """

    def __init__(self, model: Any, profile: EncoderProfile | None = None) -> None:
        """``model``: an EncDecSpeakerLabelModel in evaluation mode; ``profile``: in place of ``profile_of``."""
        self.profile = profile or profile_of(dimension_of(model))
        self._model = model
        # Statistics over time are taken in single precision whatever the rest is in (NeMo's pooling mixes the two).
        model.decoder.float()
        self._mixes_lengths = knows_padding(model)

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """See SpeakerEncoder; windows under 0.1 s are padded with silence."""
        vectors = np.zeros((len(windows), self.profile.dimension), np.float32)
        for batch in self._batches(windows):
            vectors[batch] = self._encode([windows[place] for place in batch])
        return vectors

    def features(self, samples: Any, lengths: Any) -> tuple[Any, Any]:
        """What the model hears of samples (n, t) with lengths (n): spectra (n, bands, frames), and frames of each."""
        features, frames = self._model.preprocessor(input_signal=samples, length=lengths)
        return features, frames

    def _batches(self, windows: Sequence[Samples]) -> Iterator[list[int]]:
        """Places of windows that go together, the longest first."""
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for place in sorted(range(len(windows)), key=lambda place: -len(windows[place])):
            groups[0 if self._mixes_lengths else _length(windows[place])].append(place)
        for group in groups.values():
            batch: list[int] = []
            for place in group:
                if batch and (len(batch) + 1) * _length(windows[batch[0]]) > BATCH_SAMPLES:
                    yield batch
                    batch = []
                batch.append(place)
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
