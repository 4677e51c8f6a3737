"""Any recogniser in the ONNX layouts that onnx-asr runs: Parakeet, FastConformer, Canary, GigaAM, Zipformer, Whisper.

onnx-asr (MIT) does spectra and decoding with NumPy and ONNX Runtime alone. It comes with the extra ``onnx-asr``,
and is imported only when a folder of such a layout is chosen.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from inference.models import (
    SAMPLE_RATE_HZ,
    ModelCorrupt,
    ModelMissing,
    ModelUnfit,
    RecognisedWord,
    Samples,
)
from inference.onnx.runtime import ON_CPU, Execution, check_started, varies_with_batch
from inference.onnx.sidecar import read_object

INSTALL = "pip install --no-deps onnx-asr==0.12.0"
# What config.json may say as model_type, and what words and times can be had.
TIMED = ("nemo-conformer-ctc", "nemo-conformer-rnnt", "nemo-conformer-tdt", "gigaam-v2-ctc", "gigaam-v2-rnnt",
         "gigaam-v3-ctc", "gigaam-v3-rnnt", "gigaam-v3-e2e-ctc", "gigaam-v3-e2e-rnnt", "gigaam-multilingual-ctc",
         "gigaam-multilingual-large-ctc", "kaldi-rnnt", "vosk", "t-one-ctc")  # fmt: skip
UNTIMED = ("nemo-conformer-aed", "whisper", "whisper-ort")
QUANTISATIONS = (None, "int8", "quantized", "uint8", "fp16", "q4", "q4f16")
# Pieces that are told apart no further than this: live words come a piece at a time.
MAX_SEGMENT_S = 20.0
# Without times of its own a word's place is guessed within its piece, so that pieces are short.
MAX_SEGMENT_UNTIMED_S = 5.0
# Networks of several strides, and means over a piece, need some frames.
SHORTEST_SAMPLES = SAMPLE_RATE_HZ
# A token lasts at most so long: what follows it may be silence.
LONGEST_TOKEN_S = 0.4
LARGEST_VOCABULARY_BYTES = 64 * 1024 * 1024
# Padded samples of a call.
BATCH_SAMPLES = 240 * SAMPLE_RATE_HZ
log = logging.getLogger(__name__)


class OnnxRecogniser:
    """Recogniser on a folder with ``config.json`` (``model_type``), a vocabulary and graphs.

    Where the architecture tells no times (Whisper, Canary), a piece's words share its time by their letters, and pieces
    are at most 5 s: such times are estimates, off by seconds at worst.
    """

    def __init__(self, folder: Path, execution: Execution = ON_CPU, languages: Sequence[str] = ()) -> None:
        """``languages``: BCP 47 primary tags of what the model understands; the folder does not say it.

        Raises:
            ModelMissing: onnx-asr is not installed, or a file of the layout is not there.
            ModelCorrupt: a file cannot be read as what it should be.
            ModelUnfit: another layout, or a device that is not there.
        """
        if not folder.is_dir():
            raise ModelUnfit(f"{folder} is not a folder; a recogniser is a folder with config.json and graphs")
        kind = _model_type(folder)
        providers = execution.providers()
        if importlib.util.find_spec("onnx_asr") is None:
            raise ModelMissing(f"{folder} needs the package onnx-asr, which is not installed: {INSTALL}")
        self._asr, files = _load(folder, kind, execution, providers)
        self.languages = tuple(languages)
        self._timed = kind in TIMED
        self.max_segment_s = MAX_SEGMENT_S if self._timed else MAX_SEGMENT_UNTIMED_S
        # Whisper's spectra and Canary's decoding depend on all that is in a call; so do dynamic scales.
        self._alone = not self._timed or any(varies_with_batch(file) for file in files)

    def __call__(self, pieces: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """See Recogniser; pieces under 1 s are padded with silence."""
        words: list[tuple[RecognisedWord, ...]] = [()] * len(pieces)
        for batch in self._batches(pieces):
            heard = [_padded(pieces[place]) for place in batch]
            for place, result in zip(batch, self._asr.recognize(heard, **self._options()), strict=True):
                words[place] = self._words(result, len(pieces[place]) / SAMPLE_RATE_HZ)
        return words

    def _options(self) -> dict[str, str]:
        # One language is no question: it need not be guessed anew for each piece.
        return {"language": self.languages[0]} if len(self.languages) == 1 and not self._timed else {}

    def _batches(self, pieces: Sequence[Samples]) -> Iterable[list[int]]:
        batch: list[int] = []
        for place in sorted(range(len(pieces)), key=lambda place: -len(pieces[place])):
            if batch and (self._alone or (len(batch) + 1) * len(pieces[batch[0]]) > BATCH_SAMPLES):
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _words(self, result: Any, duration_s: float) -> tuple[RecognisedWord, ...]:
        if result.tokens and result.timestamps is not None:
            return words_of_tokens(result.tokens, result.timestamps, result.logprobs, duration_s)
        return words_by_letters(result.text, duration_s)


def words_of_tokens(
    tokens: Sequence[str], times_s: Sequence[float], logprobs: Sequence[float] | None, duration_s: float
) -> tuple[RecognisedWord, ...]:
    """Words from word pieces, where one that begins with a space begins a word, and from where each is first heard.

    Punctuation belongs to the word before it. A word ends where the next token begins, but at most 0.4 s after its
    own last one began; it is as sure as its least sure token.
    """
    words = []
    for first, end in _word_spans(tokens):
        # A space of its own is not where a word begins to be heard.
        start = next(place for place in range(first, end) if tokens[place].strip())
        next_s = times_s[end] if end < len(tokens) else duration_s
        start_s = min(times_s[start], duration_s)
        end_s = min(next_s, times_s[end - 1] + LONGEST_TOKEN_S, duration_s)
        sure = None if logprobs is None else math.exp(min(0.0, *logprobs[start:end]))
        text = "".join(token.strip() for token in tokens[first:end])
        words.append(RecognisedWord(text, start_s, max(start_s, end_s), sure))
    return tuple(words)


def _word_spans(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """First token of each word, and the one after its last; spaces at the end are left out."""
    begins: list[int] = []
    spoken = False  # whether the word under way has a letter or digit
    for place, token in enumerate(tokens):
        new = token[:1].isspace() or not begins
        if new and (not begins or (spoken and _goes_on_spoken(tokens, place))):
            begins.append(place)
            spoken = False
        spoken = spoken or any(character.isalnum() for character in token)
    end = len(tokens)
    while end and not tokens[end - 1].strip():
        end -= 1
    return [span for span in pairwise([*begins, end]) if any(token.strip() for token in tokens[slice(*span)])]


def _goes_on_spoken(tokens: Sequence[str], place: int) -> bool:
    """Whether what begins at ``place`` holds a letter or digit before the next space."""
    for index in range(place, len(tokens)):
        if index > place and tokens[index][:1].isspace():
            return False
        if any(character.isalnum() for character in tokens[index]):
            return True
    return False


def words_by_letters(text: str, duration_s: float) -> tuple[RecognisedWord, ...]:
    """Words of a text without times: each takes of the piece's time what it has of its letters."""
    words = text.split()
    share = duration_s / max(1, sum(len(word) + 1 for word in words))
    ends = np.cumsum([len(word) + 1 for word in words]) * share
    return tuple(
        RecognisedWord(word, float(end - (len(word) + 1) * share), float(end), None)
        for word, end in zip(words, ends, strict=True)
    )


def _padded(piece: Samples) -> Samples:
    samples = np.asarray(piece, np.float32)
    return np.pad(samples, (0, SHORTEST_SAMPLES - len(samples))) if len(samples) < SHORTEST_SAMPLES else samples


def _model_type(folder: Path) -> str:
    path = folder / "config.json"
    if not path.is_file():
        raise ModelMissing(
            f'{folder} holds no config.json: write one, {{"model_type": "nemo-conformer-tdt", "features_size": 128}}, '
            f"with a model_type of {', '.join((*TIMED, *UNTIMED))}"
        )
    kind = read_object(path).get("model_type")
    if kind not in TIMED and kind not in UNTIMED:
        raise ModelUnfit(f"{path}: model_type is {kind!r}; needed is one of {', '.join((*TIMED, *UNTIMED))}")
    return str(kind)


def _load(folder: Path, kind: str, execution: Execution, providers: list[tuple[str, Any]]) -> tuple[Any, list[Path]]:
    """The model with times, and its graphs' files. Only files of ``folder`` are read, nothing is fetched."""
    import onnx_asr
    from onnx_asr.loader import create_asr_resolver
    from onnx_asr.utils import ModelFileNotFoundError, ModelLoadingError

    missing: list[str] = []
    for quantisation in QUANTISATIONS:
        try:
            found = create_asr_resolver(kind, folder, offline=True).resolve_model(quantization=quantisation)
            break
        except ModelFileNotFoundError as error:
            missing.append(str(error))
        except ModelLoadingError as error:
            raise ModelUnfit(f"{folder}: {error}") from error
    else:
        raise ModelMissing(f"{folder} is not complete for model_type {kind}: {missing[0]}")
    graphs = [file for file in found.values() if file.suffix in (".onnx", ".ort")]
    for file in found.values():
        if file not in graphs and file.stat().st_size > LARGEST_VOCABULARY_BYTES:
            raise ModelCorrupt(f"{file} is larger than {LARGEST_VOCABULARY_BYTES} bytes; a vocabulary is smaller")
    try:
        model = onnx_asr.load_model(
            kind,
            folder,
            quantization=quantisation,
            sess_options=execution.session_options(),
            providers=[(name, dict(options)) for name, options in providers],
        ).with_timestamps()
    except Exception as error:
        raise ModelCorrupt(f"{folder} is no {kind}: {' '.join(str(error).split())[:400]}") from error
    for session in (value for value in vars(model.asr).values() if hasattr(value, "get_providers")):
        check_started(providers[0][0], session.get_providers(), execution.device)
    if quantisation:
        log.info("%s: only the %s graphs are there, and they are used", folder, quantisation)
    return model, graphs
