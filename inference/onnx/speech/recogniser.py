"""Any recogniser in the ONNX layouts of onnx-asr: Parakeet, FastConformer, Canary, GigaAM, Zipformer, Whisper.

onnx-asr (MIT) computes spectra and decodes with NumPy and ONNX Runtime alone. It comes with the extra ``onnx-asr``, and
is imported only when a folder of such a layout is chosen.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from inference.models import (
    SAMPLE_RATE_HZ,
    ModelCorrupt,
    ModelMissing,
    ModelUnfit,
    RecognisedWord,
    Samples,
)
from inference.onnx.runtime import ON_CPU, TENSORRT, Execution, check_provider, read_object, varies_with_batch
from inference.onnx.speech.recognised_words import MAX_CHUNK_UNTIMED_S, padded, tokens_to_words, words_by_letters

INSTALL = "pip install --no-deps onnx-asr==0.12.0"
# Values of model_type in config.json, by whether the architecture has word times.
TIMED = ("nemo-conformer-ctc", "nemo-conformer-rnnt", "nemo-conformer-tdt", "gigaam-v2-ctc", "gigaam-v2-rnnt",
         "gigaam-v3-ctc", "gigaam-v3-rnnt", "gigaam-v3-e2e-ctc", "gigaam-v3-e2e-rnnt", "gigaam-multilingual-ctc",
         "gigaam-multilingual-large-ctc", "kaldi-rnnt", "vosk", "t-one-ctc")  # fmt: skip
UNTIMED = ("nemo-conformer-aed", "whisper", "whisper-ort")
MOONSHINE = "moonshine"
MODEL_TYPES = (*TIMED, *UNTIMED, MOONSHINE)
QUANTISATIONS = (None, "int8", "quantized", "uint8", "fp16", "q4", "q4f16")
# Maximum length of a chunk, seconds: live words come chunk by chunk.
MAX_CHUNK_S = 20.0
MAX_VOCABULARY_BYTES = 64 * 1024 * 1024
# Maximum padded samples and chunks in a call: onnx-asr builds TensorRT's engines for no more.
BATCH_SAMPLES, BATCH_CHUNKS = 240 * SAMPLE_RATE_HZ, 16
log = logging.getLogger(__name__)


class OnnxRecogniser:
    """Recogniser on a folder with ``config.json`` (``model_type``), a vocabulary and graphs.

    Architectures without word times (Whisper, Canary) share a chunk's time among its words by their letters, and chunks
    are at most 5 s: such times are estimates, off by seconds at worst.
    """

    def __init__(self, folder: Path, execution: Execution = ON_CPU, languages: Sequence[str] = ()) -> None:
        """Load a folder.

        Args:
            folder: with the files of the layout.
            execution: device and threads.
            languages: BCP 47 primary tags of the model; the folder does not state them.

        Raises:
            ModelMissing: onnx-asr is not installed, or a file of the layout is missing.
            ModelCorrupt: a file cannot be parsed.
            ModelUnfit: another layout, or a missing device.
        """
        kind = model_type(folder)
        # onnx-asr runs autoregressive decoders on CUDA, never on TensorRT.
        providers = [item for item in execution.providers() if kind in TIMED or item[0] != TENSORRT]
        if importlib.util.find_spec("onnx_asr") is None:
            raise ModelMissing(f"{folder} needs the package onnx-asr, which is not installed: {INSTALL}")
        self._asr, files = _load(folder, kind, execution, providers)
        self.languages = tuple(languages)
        self._timed = self.word_times = kind in TIMED
        self.max_chunk_s = MAX_CHUNK_S if self._timed else MAX_CHUNK_UNTIMED_S
        # Whisper's spectra and Canary's decoding depend on the rest of the batch; so does dynamic quantisation.
        self._unbatched = not self._timed or any(varies_with_batch(file) for file in files)

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """Implement Recogniser; chunks under 1 s are padded with silence."""
        words: list[tuple[RecognisedWord, ...]] = [()] * len(chunks)
        for batch in self._batches(chunks):
            audio = [padded(chunks[index]) for index in batch]
            for index, result in zip(batch, self._asr.recognize(audio, **self._options()), strict=True):
                words[index] = self._words(result, len(chunks[index]) / SAMPLE_RATE_HZ)
        return words

    def _options(self) -> dict[str, str]:
        # A single language need not be detected for each chunk.
        return {"language": self.languages[0]} if len(self.languages) == 1 and not self._timed else {}

    def _batches(self, chunks: Sequence[Samples]) -> Iterable[list[int]]:
        batch: list[int] = []
        max_chunks = 1 if self._unbatched else BATCH_CHUNKS
        for index in sorted(range(len(chunks)), key=lambda index: -len(chunks[index])):
            if batch and (len(batch) == max_chunks or (len(batch) + 1) * len(chunks[batch[0]]) > BATCH_SAMPLES):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _words(self, result: Any, duration_s: float) -> tuple[RecognisedWord, ...]:
        if result.tokens and result.timestamps is not None:
            return tokens_to_words(result.tokens, result.timestamps, result.logprobs, duration_s)
        return words_by_letters(result.text, duration_s)


def model_type(folder: Path) -> str:
    """Read the layout from config.json, one of KNOWN. Raises ModelMissing, ModelCorrupt or ModelUnfit."""
    path = folder / "config.json"
    if not path.is_file():
        raise ModelMissing(
            f'{folder} holds no config.json: write one, {{"model_type": "nemo-conformer-tdt", "features_size": 128}}, '
            f"with a model_type of {', '.join(MODEL_TYPES)}"
        )
    kind = read_object(path).get("model_type")
    if kind not in MODEL_TYPES:
        raise ModelUnfit(f"{path}: model_type is {kind!r}; expected one of {', '.join(MODEL_TYPES)}")
    return str(kind)


def _load(folder: Path, kind: str, execution: Execution, providers: list[tuple[str, Any]]) -> tuple[Any, list[Path]]:
    """Load the model with times; also return its graphs' files. Reads only ``folder`` and fetches nothing."""
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
        if file not in graphs and file.stat().st_size > MAX_VOCABULARY_BYTES:
            raise ModelCorrupt(f"{file} is larger than {MAX_VOCABULARY_BYTES} bytes; a vocabulary is smaller")
    try:
        model = onnx_asr.load_model(
            kind,
            folder,
            quantization=quantisation,
            sess_options=execution.session_options(),
            providers=[(name, dict(options)) for name, options in providers],
        ).with_timestamps()
    except Exception as error:
        raise ModelCorrupt(f"{folder} is not a {kind}: {' '.join(str(error).split())[:400]}") from error
    for session in (value for value in vars(model.asr).values() if hasattr(value, "get_providers")):
        check_provider(providers[0][0], session.get_providers(), execution.device)
    if quantisation:
        log.info("%s: using the %s graphs, as there are no others", folder, quantisation)
    return model, graphs
