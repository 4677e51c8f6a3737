"""Moonshine (Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024) as ONNX.

The layout is that of the onnx-community exports: an encoder of samples, and a decoder with a cache. Libraries that run
it bring a runtime of their own, so the decoding loop is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from inference.models import SAMPLE_RATE_HZ, ModelCorrupt, ModelMissing, ModelUnfit, RecognisedWord, Samples
from inference.onnx.runtime import (
    ON_CPU,
    DeviceGraph,
    Execution,
    OnDevice,
    format_tensors,
    graph_inputs,
    graph_outputs,
    open_session,
    read_object,
)
from inference.onnx.speech.recognised_words import MAX_CHUNK_UNTIMED_S, padded, words_by_letters
from inference.onnx.text import MAX_TOKENIZER_BYTES

ENCODERS = ("encoder_model", "encoder_model_quantized", "encoder_model_int8", "encoder_model_fp16")
DECODER = "decoder_model_merged"
# Its authors' guard against endless repetition: maximum tokens a second of English, and of other scripts.
TOKENS_PER_S, TOKENS_PER_S_OTHER = 6, 13
_PAST, _PRESENT, _FROM_ENCODER = "past_key_values.", "present.", ".encoder."


class MoonshineRecogniser:
    """Recogniser on a folder with ``config.json``, ``tokenizer.json`` and two graphs, there or in ``onnx/``.

    It has no word times: words share a chunk's time by their letters, and chunks are at most 5 s.
    """

    max_chunk_s = MAX_CHUNK_UNTIMED_S
    word_times = False

    def __init__(self, folder: Path, execution: Execution = ON_CPU, languages: Sequence[str] = ()) -> None:
        """Load a folder. Raises ModelMissing, ModelCorrupt, or ModelUnfit for another layout."""
        self.languages = tuple(languages)
        config = read_object(folder / "config.json")
        self._start, self._end = (_token(config, name, folder) for name in ("decoder_start_token_id", "eos_token_id"))
        encoder, decoder = _graphs(folder)
        # Caches begin empty, which TensorRT rejects.
        execution = Execution(execution.threads, "cuda") if execution.device == "tensorrt" else execution
        self._encoder, self._decoder = (DeviceGraph(open_session(file, execution)) for file in (encoder, decoder))
        self._tokenizer = _tokenizer(folder)
        self._caches = self._check(encoder.name, decoder.name)
        self._max_tokens_per_s = TOKENS_PER_S if self.languages == ("en",) else TOKENS_PER_S_OTHER

    def _check(self, encoder: str, decoder: str) -> dict[str, NDArray[np.float32]]:
        """Check both graphs; return the empty caches by input. Raises ModelUnfit."""
        inputs = graph_inputs(self._encoder.session)
        if [(tensor.name, tensor.dtype, len(tensor.shape)) for tensor in inputs] != [("input_values", "float", 2)]:
            raise ModelUnfit(f"{encoder} takes {format_tensors(inputs)}; expected input_values float (?, ?)")
        decoder_graph = self._decoder.session
        inputs, outputs = graph_inputs(decoder_graph), {tensor.name for tensor in graph_outputs(decoder_graph)}
        caches = {tensor.name: tensor.shape for tensor in inputs if tensor.name.startswith(_PAST)}
        other_inputs = {tensor.name for tensor in inputs} - caches.keys()
        valid = other_inputs == {"input_ids", "encoder_hidden_states", "use_cache_branch"} and "logits" in outputs
        valid = valid and bool(caches) and {_present(name) for name in caches} <= outputs
        if not valid or any(len(shape) != 4 or None in (shape[1], shape[3]) for shape in caches.values()):
            raise ModelUnfit(
                f"{decoder} takes {format_tensors(inputs)[:1000]}; expected input_ids, encoder_hidden_states, "
                "use_cache_branch and past_key_values of known heads and width, with present ones and logits given"
            )
        return {name: np.zeros((0, shape[1] or 0, 1, shape[3] or 0), np.float32) for name, shape in caches.items()}

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """Implement Recogniser; chunks under 1 s are padded with silence."""
        return [self._recognise(chunk) for chunk in chunks]

    def _recognise(self, chunk: Samples) -> tuple[RecognisedWord, ...]:
        audio = padded(chunk)
        _, (states,) = self._encoder.run({"input_values": audio[None]}, keep=["last_hidden_state"])
        tokens, probabilities = self._decode(states, int(len(audio) / SAMPLE_RATE_HZ * self._max_tokens_per_s))
        text = self._tokenizer.decode(tokens)
        confidence = [1.0] * len(text.split())
        for index, probability in enumerate(probabilities):
            # A token belongs to the last word of the text up to it.
            word = len(self._tokenizer.decode(tokens[: index + 1]).split()) - 1
            if 0 <= word < len(confidence):
                confidence[word] = min(confidence[word], probability)
        return words_by_letters(text, len(chunk) / SAMPLE_RATE_HZ, confidence)

    def _decode(self, states: OnDevice, max_tokens: int) -> tuple[list[int], list[float]]:
        """Decode greedily; return tokens and their probabilities. Of each step only the scores leave the device."""
        tokens: list[int] = []
        probabilities: list[float] = []
        caches: dict[str, Any] = dict(self._caches)
        for index in range(max_tokens):
            inputs = {
                "input_ids": np.array([[tokens[-1] if tokens else self._start]], np.int64),
                "encoder_hidden_states": states,
                "use_cache_branch": np.array([index > 0]),
                **caches,
            }
            # The audio's keys and values come once, with the first token.
            changing = [name for name in caches if index == 0 or _FROM_ENCODER not in name]
            (logits,), present = self._decoder.run(inputs, read=["logits"], keep=list(map(_present, changing)))
            scores = logits[0, -1].astype(np.float64)
            token = int(scores.argmax())
            if token == self._end:
                break
            tokens.append(token)
            probabilities.append(float(1 / np.exp(scores - scores[token]).sum()))
            caches.update(zip(changing, present, strict=True))
        return tokens, probabilities


def _present(past: str) -> str:
    return past.replace(_PAST, _PRESENT)


def _token(config: dict[str, Any], name: str, folder: Path) -> int:
    number = config.get(name)
    if not isinstance(number, int) or number < 0:
        raise ModelUnfit(f"{folder / 'config.json'}: {name} is {number!r}; expected a token's number")
    return number


def _graphs(folder: Path) -> tuple[Path, Path]:
    for name in ENCODERS:
        for subfolder in (folder, folder / "onnx"):
            encoder = subfolder / f"{name}.onnx"
            decoder = subfolder / f"{name.replace('encoder_model', DECODER)}.onnx"
            if encoder.is_file() and decoder.is_file():
                return encoder, decoder
    raise ModelMissing(f"{folder} holds no {ENCODERS[0]}.onnx with {DECODER}.onnx, there or in onnx/")


def _tokenizer(folder: Path) -> Tokenizer:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelMissing(f"no tokenizer.json in {folder}; copy it from the model's source")
    try:
        if path.stat().st_size > MAX_TOKENIZER_BYTES:
            raise ValueError(f"it is larger than {MAX_TOKENIZER_BYTES} bytes")
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelCorrupt(f"{path} is not a tokenizer: {str(error)[:200]}") from error
