"""Recogniser on the Parakeet family of NVIDIA NeMo: TDT, RNN-T, CTC, and hybrids, decoded by their transducer.

TDT: Xu et al., "Efficient Sequence Transduction by Jointly Predicting Tokens and Durations", ICML 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from inference.models import SAMPLE_RATE_HZ, ModelUnfit, RecognisedWord, Recogniser, Samples
from inference.nemo.checkpoint import load_checkpoint
from inference.nemo.token_words import Token, decode_greedily, frame_seconds, join_words

RECOGNISERS = ("EncDecRNNTBPEModel", "EncDecHybridRNNTCTCBPEModel", "EncDecCTCModelBPE")
MAX_CHUNK_S = 30.0
"""Attention grows with the square of a chunk's length; published models are trained on up to 20 to 40 s."""
BATCH_S = 480.0
"""Audio in one pass of the model, padding included, seconds: 16 of the longest chunks."""
# Models are not trained on less; NeMo's ``transcribe`` pads to the same length.
MIN_SAMPLES = SAMPLE_RATE_HZ


def load_recogniser(path: Path, *, device: str, dtype: str, languages: Sequence[str]) -> Recogniser:
    """Load a recogniser.

    Args:
        path: of a ``.nemo`` checkpoint: an EncDecRNNTBPEModel (RNN-T or TDT), EncDecHybridRNNTCTCBPEModel or
            EncDecCTCModelBPE for 16 kHz.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", "bfloat16" or "float16".
        languages: BCP 47 primary tags of the model; the file does not state them.

    Raises:
        ModelMissing: the file is missing, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not safe to load.
        ModelUnfit: it is not such a recogniser.
    """
    return build_recogniser(load_checkpoint(path, RECOGNISERS, device=device, dtype=dtype), languages, path.name)


def build_recogniser(model: Any, languages: Sequence[str], name: str) -> Recogniser:
    """Create the recogniser of a loaded checkpoint; ``name`` of its file. Raises ModelUnfit: it is not for 16 kHz."""
    if int(model.cfg.preprocessor.sample_rate) != SAMPLE_RATE_HZ:
        raise ModelUnfit(
            f"{name}: preprocessor.sample_rate: {model.cfg.preprocessor.sample_rate} Hz; expected {SAMPLE_RATE_HZ} Hz"
        )
    return NemoRecogniser(model, languages)


class NemoRecogniser:
    """Recogniser of many chunks in one pass.

    Chunks of similar length share a batch, and every layer masks padding: words depend on their chunk alone, except for
    rounding.
    """

    max_chunk_s = MAX_CHUNK_S
    word_times = True

    def __init__(self, model: Any, languages: Sequence[str], *, batch_s: float = BATCH_S) -> None:
        """``model``: in evaluation mode; its decoding is set here. ``batch_s``: see BATCH_S."""
        self.languages = tuple(languages)
        self._model = model
        self._batch_samples = int(batch_s * SAMPLE_RATE_HZ)
        self._decoding = decode_greedily(model)
        self._transducer = hasattr(model, "joint")
        self._frame_s = frame_seconds(model)

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """Implement Recogniser; chunks under 1 s are padded with silence.

        Raises:
            ValueError: a chunk is empty or longer than ``max_chunk_s``.
        """
        longest = int(self.max_chunk_s * SAMPLE_RATE_HZ)
        for index, chunk in enumerate(chunks):
            if not 0 < len(chunk) <= longest:
                raise ValueError(f"chunks[{index}] has {len(chunk)} samples; expected 1 to {longest}")
        words: list[tuple[RecognisedWord, ...]] = [()] * len(chunks)
        for batch in self._batches(chunks):
            for index, found in zip(batch, self._recognise([chunks[index] for index in batch]), strict=True):
                words[index] = found
        return words

    def _batches(self, chunks: Sequence[Samples]) -> Iterator[list[int]]:
        """Yield indices of chunks to batch, longest first."""
        batch: list[int] = []
        for index in sorted(range(len(chunks)), key=lambda index: -len(chunks[index])):
            if batch and (len(batch) + 1) * len(chunks[batch[0]]) > self._batch_samples:
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _recognise(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        import torch

        lengths = np.array([max(len(chunk), MIN_SAMPLES) for chunk in chunks])
        padded = np.zeros((len(chunks), lengths.max()), np.float32)
        for row, chunk in zip(padded, chunks, strict=True):
            row[: len(chunk)] = chunk
        weights = next(self._model.encoder.parameters())
        with torch.inference_mode():
            features, feature_lengths = self._model.preprocessor(
                input_signal=torch.from_numpy(padded).to(weights.device),
                length=torch.from_numpy(lengths).to(weights.device),
            )
            features = features.to(weights.dtype)
            if self._transducer:
                encoded, frames = self._model.forward(
                    processed_signal=features, processed_signal_length=feature_lengths
                )
                found = self._decoding.rnnt_decoder_predictions_tensor(encoded, frames, return_hypotheses=True)
                tokens = [_transducer_tokens(hypothesis) for hypothesis in found]
            else:
                scores, frames, _ = self._model.forward(
                    processed_signal=features, processed_signal_length=feature_lengths
                )
                found = self._decoding.ctc_decoder_predictions_tensor(
                    scores.float(), decoder_lengths=frames, return_hypotheses=True
                )
                tokens = [
                    _ctc_tokens(hypothesis, labels[:count].tolist(), self._decoding.blank_id)
                    for hypothesis, labels, count in zip(found, scores.argmax(-1).cpu(), frames.tolist(), strict=True)
                ]
        return [
            join_words(chunk_tokens, self._decoding, self._frame_s, len(chunk) / SAMPLE_RATE_HZ)
            for chunk_tokens, chunk in zip(tokens, chunks, strict=True)
        ]


def _transducer_tokens(hypothesis: Any) -> list[Token]:
    """Return tokens at NeMo's own times, in which punctuation ends at the word before it."""
    return [
        Token(int(number), int(times["start_offset"]), int(times["end_offset"]), float(confidence))
        for number, times, confidence in zip(
            hypothesis.y_sequence, hypothesis.timestamp["char"], hypothesis.token_confidence, strict=True
        )
    ]


def _ctc_tokens(hypothesis: Any, labels: Sequence[int], blank: int) -> list[Token]:
    """Return tokens from their first to their last frame.

    NeMo 3.0's times are unusable: there each token begins where the one before it begins, a pause earlier.
    """
    runs = [0, *(index for index, (a, b) in enumerate(pairwise(labels), 1) if a != b), len(labels)]
    spans = [(first, end) for first, end in pairwise(runs) if end > first and labels[first] != blank]
    return [
        Token(labels[first], first, end, float(confidence))
        for (first, end), confidence in zip(spans, hypothesis.token_confidence, strict=True)
    ]
