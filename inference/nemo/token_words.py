"""Puts the tokens of a NeMo decoding together into words with times and confidence.

NeMo's own rule says where a word begins (``get_words_offsets``: word pieces, punctuation, unknown tokens). It is asked
with each token's place in place of its time, so that a word's tokens, and with them its times and its confidence,
are known exactly; NeMo's confidence of words is counted by another rule and fails where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.models import RecognisedWord

# Nearly the probability of the token (NeMo takes off what chance alone would give), as the ONNX backend says it: a
# model is as sure either way. Entropies tell errors apart better (Laptev and Ginsburg, SLT 2022), but are none.
CONFIDENCE_METHOD = {"name": "max_prob", "alpha": 1.0}
CONFIDENCE = {
    "preserve_frame_confidence": True,
    "preserve_token_confidence": True,
    "preserve_word_confidence": False,
    "exclude_blank": True,
    "aggregation": "min",
    "tdt_include_duration": False,
    "method_cfg": CONFIDENCE_METHOD,
}
"""NeMo's ``confidence_cfg`` for every decoding here."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word piece that was recognised."""

    id: int
    """Its number in the tokenizer."""
    start: int
    """First frame of the encoder's output."""
    end: int
    """The frame after its last; not before ``start``."""
    confidence: float
    """0..1."""


def word_spans(tokens: Sequence[Token], decoding: Any) -> list[tuple[str, int, int]]:
    """The words that tokens make, in the order of time: text, and the places of its tokens from and to.

    Args:
        tokens: in the order in which they were recognised.
        decoding: NeMo's decoding of the model, which knows its tokenizer and punctuation.
    """
    from nemo.collections.asr.parts.utils.timestamp_utils import get_words_offsets

    pieces = [decoding.decode_ids_to_tokens([token.id])[0] for token in tokens]
    places = [{"start_offset": place, "end_offset": place + 1} for place in range(len(tokens))]
    found = get_words_offsets(
        char_offsets=[
            {"char": decoding.decode_tokens_to_str([piece]), **place}
            for piece, place in zip(pieces, places, strict=True)
        ],
        encoded_char_offsets=[{"char": piece, **place} for piece, place in zip(pieces, places, strict=True)],
        decode_tokens_to_str=decoding.decode_tokens_to_str,
        word_delimiter_char=decoding.word_seperator,
        tokenizer_type=decoding.tokenizer_type,
        supported_punctuation=decoding.supported_punctuation,
    )
    return [(word["word"].strip(), int(word["start_offset"]), int(word["end_offset"])) for word in found]


def word_of(text: str, tokens: Sequence[Token], frame_s: float, duration_s: float) -> RecognisedWord | None:
    """A word of its tokens, as sure as the least sure of them; None where there is nothing to read.

    Args:
        frame_s: length of a frame, seconds.
        duration_s: length of the audio; the word does not end after it.
    """
    if not text or not tokens:
        return None
    start_s = min(tokens[0].start * frame_s, duration_s)
    return RecognisedWord(
        text=text,
        start_s=start_s,
        end_s=max(start_s, min(tokens[-1].end * frame_s, duration_s)),
        confidence=min(1.0, max(0.0, min(token.confidence for token in tokens))),
    )


def words_of(tokens: Sequence[Token], decoding: Any, frame_s: float, duration_s: float) -> tuple[RecognisedWord, ...]:
    """The words that tokens make, in the order of time. See ``word_spans`` and ``word_of``."""
    words = [word_of(text, tokens[start:end], frame_s, duration_s) for text, start, end in word_spans(tokens, decoding)]
    return tuple(word for word in words if word is not None)


def frame_seconds(model: Any) -> float:
    """Seconds a frame of the encoder's output stands for."""
    return float(model.encoder.subsampling_factor) * float(model.cfg.preprocessor.window_stride)


def decode_greedily(model: Any) -> Any:
    """Makes the model decode greedily in batches, with times and confidence; returns NeMo's decoding.

    A beam that the checkpoint asks for is not kept: with it NeMo gives no confidence, and no state between calls.
    """
    from omegaconf import OmegaConf, open_dict

    config = OmegaConf.create(OmegaConf.to_container(model.cfg.decoding, resolve=True))
    with open_dict(config):
        config.strategy = "greedy_batch"
        config.compute_timestamps = True
        config.preserve_alignments = False
        config.confidence_cfg = CONFIDENCE
        if hasattr(model, "joint") and "greedy" in config:
            # The one way of decoding that goes on from a state and says how sure it is, in batches.
            config.greedy.loop_labels = True
    model.change_decoding_strategy(config, verbose=False)
    if getattr(model.decoding, "durations", None):
        # NeMo 3.0 overwrites a token's duration while it looks on for the tokens of other pieces of the batch,
        # unless it keeps every step (tdt_label_looping.py, stage 1.2): the same words would end elsewhere.
        model.decoding.decoding.decoding_computer.record_all_steps = True
    return model.decoding
