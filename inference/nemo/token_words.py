"""Grouping of NeMo's tokens into words with times and confidence.

NeMo's own rule decides where words begin (``get_words_offsets``: word pieces, punctuation, unknown tokens). It gets
each token's index instead of its time, so that the tokens of a word, and thus its times and confidence, are known
exactly; NeMo's word confidence follows another rule and fails where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.models import RecognisedWord

# Close to the token's probability (NeMo subtracts chance level), as in the ONNX backend, so that both report the same
# confidence. Entropies separate errors better (Laptev and Ginsburg, SLT 2022), but are no probabilities.
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
    """A recognised word piece."""

    id: int
    """Its id in the tokenizer."""
    start: int
    """First frame of the encoder's output."""
    end: int
    """The frame after its last; not before ``start``."""
    confidence: float
    """0..1."""


def word_spans(tokens: Sequence[Token], decoding: Any) -> list[tuple[str, int, int]]:
    """Group tokens into words by time: text, index of the first token, index after the last.

    Args:
        tokens: in the order in which they were recognised.
        decoding: NeMo's decoding of the model, with its tokenizer and punctuation.
    """
    from nemo.collections.asr.parts.utils.timestamp_utils import get_words_offsets

    token_texts = [decoding.decode_ids_to_tokens([token.id])[0] for token in tokens]
    offsets = [{"start_offset": offset, "end_offset": offset + 1} for offset in range(len(tokens))]
    found = get_words_offsets(
        char_offsets=[
            {"char": decoding.decode_tokens_to_str([token_text]), **offset}
            for token_text, offset in zip(token_texts, offsets, strict=True)
        ],
        encoded_char_offsets=[
            {"char": token_text, **offset} for token_text, offset in zip(token_texts, offsets, strict=True)
        ],
        decode_tokens_to_str=decoding.decode_tokens_to_str,
        word_delimiter_char=decoding.word_seperator,
        tokenizer_type=decoding.tokenizer_type,
        supported_punctuation=decoding.supported_punctuation,
    )
    return [(word["word"].strip(), int(word["start_offset"]), int(word["end_offset"])) for word in found]


def join_word(text: str, tokens: Sequence[Token], frame_s: float, duration_s: float) -> RecognisedWord | None:
    """Return the word of some tokens, with their minimum confidence; None without text.

    Args:
        text: of the word.
        tokens: of the word.
        frame_s: length of a frame, seconds.
        duration_s: length of the audio, seconds; the word ends by then.
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


def join_words(tokens: Sequence[Token], decoding: Any, frame_s: float, duration_s: float) -> tuple[RecognisedWord, ...]:
    """Return the words of tokens by time. See ``word_spans`` and ``join_word``."""
    words = [
        join_word(text, tokens[start:end], frame_s, duration_s) for text, start, end in word_spans(tokens, decoding)
    ]
    return tuple(word for word in words if word is not None)


def frame_seconds(model: Any) -> float:
    """Return the duration of a frame of the encoder's output, seconds."""
    return float(model.encoder.subsampling_factor) * float(model.cfg.preprocessor.window_stride)


def decode_greedily(model: Any) -> Any:
    """Set up batched greedy decoding with times and confidence; return NeMo's decoding.

    A checkpoint's beam search is dropped: with it NeMo gives no confidence, and no state between calls.
    """
    from omegaconf import OmegaConf, open_dict

    config = OmegaConf.create(OmegaConf.to_container(model.cfg.decoding, resolve=True))
    with open_dict(config):
        config.strategy = "greedy_batch"
        config.compute_timestamps = True
        config.preserve_alignments = False
        config.confidence_cfg = CONFIDENCE
        if hasattr(model, "joint") and "greedy" in config:
            # The only batched decoding that resumes from a state and reports confidence.
            config.greedy.loop_labels = True
    model.change_decoding_strategy(config, verbose=False)
    if getattr(model.decoding, "durations", None):
        # NeMo 3.0 overwrites a token's duration while it searches the tokens of other chunks of the batch, unless it
        # keeps every step (tdt_label_looping.py, stage 1.2): the same words would end elsewhere.
        model.decoding.decoding.decoding_computer.record_all_steps = True
    return model.decoding
