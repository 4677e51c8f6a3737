"""Models with calls of several sizes to be measured: what ``benchmarks.gpu_models`` tries."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.models import SAMPLE_RATE_HZ, Samples, StreamInput, WindowTask
from inference.nemo import import_nemo, torch_device


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which models, and where they run."""

    device: str
    """``auto``, ``cpu`` or ``cuda``."""
    dtype: str
    """Of models of NeMo."""
    small: bool
    """Miniature models of NeMo, and small calls."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model's calls."""

    model: str
    shared: str
    """How sessions share a call."""
    audio_s: float
    """Audio of a row."""
    rows: tuple[int, ...]
    """Sizes to try: alone, and up to what the engine puts into a call."""
    prepare: Callable[[int], Callable[[], object]]
    """Of a number of rows: the call."""


def sound(seconds: float, seed: int = 0) -> Samples:
    """Noise whose level changes, in which VADs and decoders find now speech, now none."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE_HZ)
    level = np.repeat(rng.uniform(0.001, 0.3, count // 1600 + 1), 1600)[:count]
    return (level * rng.standard_normal(count)).astype(np.float32)


def several(seconds: float, rows: int) -> list[Samples]:
    """Different ones of a length."""
    return [sound(seconds, seed) for seed in range(rows)]


def titanet(wanted: Wanted) -> Iterator[Case]:
    """NeMo's speaker encoder."""
    import_nemo()
    from benchmarks.random_speaker_encoder import SMALL_TITANET, TITANET_LARGE, speaker_encoder
    from inference.nemo.speaker_encoder import NemoSpeakerEncoder

    encoder = NemoSpeakerEncoder(
        _placed(speaker_encoder(size=SMALL_TITANET if wanted.small else TITANET_LARGE), wanted)
    )
    window_s = encoder.profile.window_s
    yield Case(
        "TitaNet",
        "windows of all sessions",
        window_s,
        _sizes(wanted, 1, 16, 64),
        lambda rows: _call(encoder, several(window_s, rows)),
    )


def parakeet(wanted: Wanted) -> Iterator[Case]:
    """NeMo's recogniser of chunks, a TDT."""
    import_nemo()
    from benchmarks.random_speech_models import PARAKEET, SMALL, recogniser, train_tokenizer
    from inference.nemo.recogniser import NemoRecogniser

    with tempfile.TemporaryDirectory() as folder:
        model = recogniser("tdt", train_tokenizer(Path(folder)), size=SMALL if wanted.small else PARAKEET)
        recognise = NemoRecogniser(_placed(model, wanted), ("en",))
        yield Case(
            "Parakeet TDT, chunks of 10 s",
            "chunks of similar length",
            10.0,
            _sizes(wanted, 1, 8, 24),
            lambda rows: _call(recognise, several(10.0, rows)),
        )


def streaming(wanted: Wanted) -> Iterator[Case]:
    """NeMo's cache-aware recogniser."""
    import_nemo()
    from benchmarks.random_speech_models import SMALL, STREAMING, recogniser, train_tokenizer
    from inference.nemo.streaming_recogniser import NemoStreamingRecogniser

    with tempfile.TemporaryDirectory() as folder:
        model = recogniser(
            "rnnt", train_tokenizer(Path(folder)), streaming=True, size=SMALL if wanted.small else STREAMING
        )
        recognise = NemoStreamingRecogniser(_placed(model, wanted), ("en",))
        # Old enough for full caches.
        state, step = recognise.initial_state(), recognise.step_samples
        for seed in range(8):
            ((_, state),) = recognise([StreamInput(sound(step / SAMPLE_RATE_HZ, seed), state)])

        def prepare(rows: int) -> Callable[[], object]:
            audio = several(step / SAMPLE_RATE_HZ, rows)
            return _call(recognise, [StreamInput(samples, state) for samples in audio])

        yield Case(
            "FastConformer RNN-T, streaming",
            "a step of each session",
            step / SAMPLE_RATE_HZ,
            _sizes(wanted, 1, 16, 64),
            prepare,
        )


def onnx(wanted: Wanted) -> Iterator[Case]:
    """The default models of ONNX Runtime."""
    from inference.catalogue import CAMPPLUS, DNSMOS, SEGMENTATION, SILERO_VAD, locate
    from inference.onnx.runtime import Execution
    from inference.onnx.speakers import CampplusEncoder, PyannoteSegmenter
    from inference.onnx.speech import Dnsmos, load_silero

    execution = Execution(device=wanted.device)
    vad = load_silero(locate(SILERO_VAD), execution)
    block_s = 16 * vad.window_samples / SAMPLE_RATE_HZ

    def listen(rows: int) -> Callable[[], object]:
        return _call(vad, [StreamInput(samples, vad.initial_state()) for samples in several(block_s, rows)])

    yield Case("Silero VAD", "one session after another", block_s, _sizes(wanted, 1, 8, 32), listen)
    encoder = CampplusEncoder(locate(CAMPPLUS), execution)
    window_s = encoder.profile.window_s
    yield Case(
        "CAM++",
        "windows of all sessions, 32 a run",
        window_s,
        _sizes(wanted, 1, 16, 64),
        lambda rows: _call(encoder, several(window_s, rows)),
    )
    segmenter = PyannoteSegmenter(locate(SEGMENTATION), execution)
    yield Case("pyannote segmentation", "4 windows", 10.0, (1, 4), lambda rows: _call(segmenter, several(10.0, rows)))
    judge = Dnsmos(locate(DNSMOS), execution)
    yield Case("DNSMOS", "one window after another", 9.01, (1, 4), lambda rows: _call(judge, several(9.01, rows)))


def onnx_sortformer(wanted: Wanted) -> Iterator[Case]:
    """A Sortformer exported to ONNX, with full caches."""
    from benchmarks.gpu_steps import fullest_fifo, session_audio
    from benchmarks.random_sortformer import PUBLISHED, SMALL, random_sortformer

    import_nemo()
    from inference.nemo.export_sortformer import export_sortformer
    from inference.onnx.runtime import Execution
    from inference.onnx.speakers import OnnxSortformer
    from inference.sortformer import settings_for

    settings = settings_for("1.04s", 4)
    with tempfile.TemporaryDirectory() as folder:
        model = random_sortformer(SMALL if wanted.small else PUBLISHED)
        source = Path(folder, "random.nemo")
        model.save_to(str(source))
        export_sortformer(model, source, Path(folder), lambda _: None)
        diarizer = OnnxSortformer(Path(folder, "random.onnx"), Execution(device=wanted.device), max_rows=32)
        chunk = settings.chunk * diarizer.frame_samples
        empty, rng = diarizer.initial_state(), np.random.default_rng(0)

        def frames(count: int, width: int) -> Any:
            return rng.standard_normal((count, width), np.float32)

        width, speakers = empty.memory.fifo.shape[1], diarizer.max_speakers
        memory = replace(
            empty.memory,
            cache=frames(settings.speaker_cache, width),
            cache_probabilities=np.abs(frames(settings.speaker_cache, speakers)).clip(0, 1),
            fifo=frames(fullest_fifo(settings) // 2, width),
        )
        state = replace(empty, audio=session_audio(settings, sound(10)), memory=memory)
        yield Case(
            "Sortformer in ONNX, 1.04s",
            "a chunk of each session",
            chunk / SAMPLE_RATE_HZ,
            _sizes(wanted, 1, 8, 32),
            lambda rows: _call(diarizer, [StreamInput(sound(chunk / SAMPLE_RATE_HZ), state)] * rows),
        )


def whisper(wanted: Wanted) -> Iterator[Case]:
    """The default recogniser, on the sample meeting."""
    from benchmarks.recordings import read_samples
    from benchmarks.running_system import ROOT
    from inference.catalogue import WHISPER_BASE
    from inference.catalogue.embedded import locate_files
    from inference.whisper import load_whisper

    model = load_whisper(Path("whisper-base"), locate_files(WHISPER_BASE), device=wanted.device)
    speech = read_samples(ROOT / "sample" / "meeting.flac")
    window, chunk = speech[: 28 * SAMPLE_RATE_HZ], speech[: 5 * SAMPLE_RATE_HZ]

    def windows(rows: int) -> Callable[[], object]:
        def call() -> None:
            for _ in range(rows):
                (encoded,) = model.encode([window])
                model.decode([WindowTask(encoded, "en")])

        return call

    yield Case("Whisper base, windows of 28 s", "one window after another", 28.0, (1,), windows)
    yield Case(
        "Whisper base, provisional 5 s",
        "4 chunks",
        5.0,
        (1, 4),
        lambda rows: lambda: model.recognise_provisional([WindowTask(chunk, "en")] * rows),
    )


FAMILIES: dict[str, Callable[[Wanted], Iterator[Case]]] = {
    "titanet": titanet,
    "parakeet": parakeet,
    "streaming": streaming,
    "onnx": onnx,
    "onnx-sortformer": onnx_sortformer,
    "whisper": whisper,
}


def _placed(model: Any, wanted: Wanted) -> Any:
    """The model on its device in its format, as a checkpoint is loaded: the front end stays float32."""
    from inference.nemo.runtime import torch_dtype

    model.to(device=torch_device(wanted.device), dtype=torch_dtype(wanted.dtype))
    model.preprocessor.float()
    return model.eval().requires_grad_(False)


def _sizes(wanted: Wanted, *rows: int) -> tuple[int, ...]:
    return rows[:2] if wanted.small else rows


def _call(model: Callable[[Any], object], work: Any) -> Callable[[], object]:
    return lambda: model(work)
