"""Streaming recognition by NVIDIA NeMo's cache-aware FastConformers with a transducer.

The words are those that the same model finds in the whole recording at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.models import (
    SAMPLE_RATE_HZ,
    RecognisedWord,
    Recogniser,
    Samples,
    StreamedWords,
    StreamingRecogniser,
    StreamInput,
)
from inference.nemo.checkpoint import load_checkpoint
from inference.nemo.recogniser import RECOGNISERS, build_recogniser
from inference.nemo.token_words import Token, decode_greedily, frame_seconds, join_word, word_spans

STREAMING_RECOGNISERS = ("EncDecRNNTBPEModel", "EncDecHybridRNNTCTCBPEModel")
MAX_ROWS = 64
"""Sessions in one pass of the model."""
# A word that does not end is emitted in parts, so that a session's state stays small.
MAX_TOKENS = 64


@dataclass(frozen=True, slots=True)
class _State:
    """State of a session; tensors are on the model's device and immutable."""

    samples: Samples
    """Audio still needed, from ``first_sample`` on."""
    first_sample: int
    received: int
    """Samples received so far."""
    encoded: int
    """Features of 10 ms encoded so far."""
    caches: Any
    """Of the encoder, see ``cache_aware``; None before the first frame."""
    decoder: Any
    """NeMo's state of the transducer; None before the first frame."""
    tokens: tuple[Token, ...]
    """Of the ongoing word."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """New features of one session, ``start`` to ``end``, and the number ``before`` them that are passed again."""

    index: int
    start: int
    end: int
    before: int


def load_streaming_recogniser(
    path: Path, *, device: str, dtype: str, languages: Sequence[str], look_ahead: int | None = None
) -> StreamingRecogniser:
    """Load a streaming recogniser.

    Args:
        path: of a ``.nemo`` checkpoint: an EncDecRNNTBPEModel or EncDecHybridRNNTCTCBPEModel with a cache-aware
            encoder.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", "bfloat16" or "float16".
        languages: BCP 47 primary tags of the model; the file does not state them.
        look_ahead: frames of 80 ms in a chunk after its first, one of the trained values; None: the model's default.

    Raises:
        ModelMissing: the file is missing, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not safe to load.
        ModelUnfit: it is not a cache-aware recogniser for 16 kHz, or was not trained with that look-ahead.
    """
    model = load_checkpoint(path, STREAMING_RECOGNISERS, device=device, dtype=dtype)
    return NemoStreamingRecogniser(model, languages, look_ahead=look_ahead, name=path.name)


def load_any_recogniser(
    path: Path, *, device: str, dtype: str, languages: Sequence[str]
) -> Recogniser | StreamingRecogniser:
    """Load a recogniser, as a streaming one where it was trained for that.

    That is a transducer whose encoder has chunks with bounded context (``encoder.att_context_style: chunked_limited``);
    any other recognises whole chunks. Arguments and errors as ``load_streaming_recogniser`` and
    ``recogniser.load_recogniser``.
    """
    model = load_checkpoint(path, RECOGNISERS, device=device, dtype=dtype)
    if hasattr(model, "joint") and _is_cache_aware(model.encoder):
        return NemoStreamingRecogniser(model, languages, name=path.name)
    return build_recogniser(model, languages, path.name)


def _is_cache_aware(encoder: Any) -> bool:
    return getattr(encoder, "att_context_style", None) == "chunked_limited" and min(encoder.att_context_size) >= 0


class NemoStreamingRecogniser:
    """StreamingRecogniser on a cache-aware FastConformer; sessions in a call may be of different ages."""

    word_times = True

    def __init__(
        self, model: Any, languages: Sequence[str], *, look_ahead: int | None = None, name: str = "the recogniser"
    ) -> None:
        """``model``: in evaluation mode; its decoding and look-ahead are set here. Raises ModelUnfit."""
        from inference.nemo.cache_aware import CacheAwareEncoder
        from inference.nemo.front_end import MelFrontEnd
        from inference.sortformer import HOP_SAMPLES, LOOK_AHEAD_SAMPLES

        self.languages = tuple(languages)
        self._encoder = CacheAwareEncoder(model, look_ahead, name)
        self._front_end = MelFrontEnd(model.preprocessor, name)
        self._decoding = decode_greedily(model)
        self._computer = self._decoding.decoding.decoding_computer
        self._frame_s = frame_seconds(model)
        self._hop, self._look_ahead_samples = HOP_SAMPLES, LOOK_AHEAD_SAMPLES
        self.step_samples = self._encoder.features * self._hop
        self.latency_samples = self.step_samples + self._look_ahead_samples

    def initial_state(self) -> Any:
        """Implement StreamingRecogniser."""
        return _State(np.zeros(0, np.float32), 0, 0, 0, None, None, ())

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[StreamedWords, Any]]:
        """Implement StreamingRecogniser."""
        import torch

        states = [_with_samples(item.state, item.samples) for item in work]
        words: list[list[RecognisedWord]] = [[] for _ in work]
        with torch.inference_mode():
            while chunks := self._next_chunks(states, [item.last for item in work]):
                for first in range(0, len(chunks), MAX_ROWS):
                    self._step(chunks[first : first + MAX_ROWS], states)
                for index in (chunk.index for chunk in chunks):
                    complete, states[index] = self._split_complete_words(
                        states[index], self._end_s(work[index], states[index])
                    )
                    words[index] += complete
        results = []
        for item, state, complete in zip(work, states, words, strict=True):
            pending = self._words(state.tokens, self._end_s(item, state))
            if item.last:
                results.append((StreamedWords((*complete, *pending), None), replace(state, tokens=())))
            else:
                results.append((StreamedWords(tuple(complete), pending[-1] if pending else None), state))
        return results

    def _next_chunks(self, states: Sequence[_State], last: Sequence[bool]) -> list[_Chunk]:
        """Return the next chunk of sessions that have one. First chunks differ in length and are batched alone."""
        found = []
        for index, (state, is_last) in enumerate(zip(states, last, strict=True)):
            first = state.encoded == 0
            start = state.encoded
            end = start + (self._encoder.first_features if first else self._encoder.features)
            if is_last:
                # An incomplete frame of the encoder at the very end is encoded too, as in a whole recording.
                end = min(end, state.received // self._hop)
                if end <= start:
                    continue
            elif state.received < end * self._hop + self._look_ahead_samples:
                continue
            found.append(_Chunk(index, start, end, 0 if first else self._encoder.overlap))
        firsts = [chunk for chunk in found if chunk.start == 0]
        return firsts or found

    def _step(self, chunks: Sequence[_Chunk], states: list[_State]) -> None:
        """Process one chunk of each of several sessions, all of them first ones or none; update ``states`` in place."""
        from inference.nemo.front_end import FeatureRow
        from inference.sortformer import GUARD_FEATURES

        row_states = [states[chunk.index] for chunk in chunks]
        rows = []
        for chunk, state in zip(chunks, row_states, strict=True):
            first = chunk.start - chunk.before
            guard = min(GUARD_FEATURES, first)
            first_sample, end_sample = (first - guard) * self._hop, chunk.end * self._hop + self._look_ahead_samples
            samples = state.samples[first_sample - state.first_sample : end_sample - state.first_sample]
            rows.append(FeatureRow(samples, guard, chunk.end - first))
        features = self._front_end(rows, self._encoder.device).transpose(1, 2)
        encoded, lengths, caches = self._encoder(
            features, [row.frames for row in rows], [state.caches for state in row_states]
        )
        tokens, decoders = self._decode(encoded, lengths, row_states)
        for row, (chunk, state) in enumerate(zip(chunks, row_states, strict=True)):
            keep = max(0, (chunk.end - self._encoder.overlap - GUARD_FEATURES) * self._hop)
            states[chunk.index] = replace(
                state,
                samples=state.samples[max(0, keep - state.first_sample) :].copy(),
                first_sample=max(keep, state.first_sample),
                encoded=chunk.end,
                caches=caches[row],
                decoder=decoders[row],
                tokens=state.tokens + tokens[row],
            )

    def _decode(
        self, encoded: Any, lengths: Any, states: Sequence[_State]
    ) -> tuple[list[tuple[Token, ...]], list[Any]]:
        """Return new tokens of each session, with frames from the session's start, and NeMo's new states."""
        from nemo.collections.asr.parts.utils.rnnt_utils import batched_hyps_to_hypotheses

        before = [state.decoder for state in states]
        known = any(state is not None for state in before)
        found, after = self._computer(
            x=encoded.transpose(1, 2),
            out_len=lengths,
            prev_batched_state=self._computer.merge_to_batched_state(before) if known else None,
        )
        hypotheses = batched_hyps_to_hypotheses(found, batch_size=len(states))
        tokens = [self._tokens(hypothesis, state.tokens) for hypothesis, state in zip(hypotheses, states, strict=True)]
        return tokens, list(self._computer.split_batched_state(after))

    def _tokens(self, hypothesis: Any, before: tuple[Token, ...]) -> tuple[Token, ...]:
        numbers, frames = hypothesis.y_sequence.tolist(), hypothesis.timestamp.tolist()
        has_durations = bool(getattr(self._decoding, "durations", None))
        durations = hypothesis.token_duration.tolist() if has_durations else [1] * len(numbers)
        found: list[Token] = []
        for number, frame, duration, confidence in zip(
            numbers, frames, durations, hypothesis.non_blank_step_confidence_precomputed, strict=True
        ):
            start, end = frame, frame + duration
            previous = found[-1] if found else (before[-1] if before else None)
            if has_durations and previous is not None and self._is_punctuation(number):
                # As NeMo does for TDT: punctuation often comes after a pause, and is moved to its word.
                start = end = previous.end
            found.append(Token(number, start, end, float(confidence)))
        return tuple(found)

    def _is_punctuation(self, number: int) -> bool:
        text = self._decoding.decode_tokens_to_str(self._decoding.decode_ids_to_tokens([number]))
        return text in (self._decoding.supported_punctuation or ())

    def _words(self, tokens: Sequence[Token], duration_s: float) -> list[RecognisedWord]:
        words = [
            join_word(text, tokens[start:end], self._frame_s, duration_s)
            for text, start, end in word_spans(tokens, self._decoding)
        ]
        return [word for word in words if word is not None]

    @staticmethod
    def _end_s(item: StreamInput, state: _State) -> float:
        """Return the session's end in seconds; infinite while unknown."""
        return state.received / SAMPLE_RATE_HZ if item.last else float("inf")

    def _split_complete_words(self, state: _State, end_s: float) -> tuple[list[RecognisedWord], _State]:
        """Return the words that are complete, and the state without them."""
        spans = word_spans(state.tokens, self._decoding)
        keep = spans[-1][1] if spans else len(state.tokens)
        if len(state.tokens) - keep > MAX_TOKENS:
            keep = len(state.tokens)
        return self._words(state.tokens[:keep], end_s), replace(state, tokens=state.tokens[keep:])


def _with_samples(state: _State, samples: Samples) -> _State:
    return replace(
        state,
        samples=np.concatenate([state.samples, np.asarray(samples, np.float32)]),
        received=state.received + len(samples),
    )
