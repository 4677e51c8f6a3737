"""What each guard against invented words is worth: all of them, and then each switched off.

    python -m benchmarks.word_guards [--json FILE]

WER in percent, pooled over the words of a set (real meetings; some of the synthetic dialogues), and words written to
sounds without any: the clips of the evaluation data and made ones. Each once with what the speech detector finds, as
uploads are recognised, and once with the detector switched off, where the other guards stand alone. What is heard is
cut into windows and encoded once, and the model answers the same question once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.in_process import as_pcm, recognise_words
from benchmarks.recordings import EVAL, Samples
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import count_word_errors, folded_words
from benchmarks.sounds import MADE, made, recorded
from benchmarks.spoken_data import meetings
from inference.engine import ModelEngine
from inference.models import (
    EncodedWindow,
    ModelSet,
    ProvisionalWords,
    RecognisedWord,
    StreamInput,
    VoiceActivityDetector,
    WindowTask,
)
from inference.selection import load_default_models
from inference.whisper import DecodedText, WhisperRecogniser, guards, recogniser

DIALOGUES = ("d2_mf", "d4_noisy")
MADE_S = 6.0


Task = WindowTask[EncodedWindow]


class AlwaysSpeechDetector:
    """In place of a detector."""

    def __init__(self, detector: VoiceActivityDetector) -> None:
        self.window_samples = detector.window_samples

    def initial_state(self) -> None:
        return None

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        return [(np.ones(len(item.samples) // self.window_samples, np.float32), None) for item in work]


class WindowRecorder:
    """In place of a recogniser: keeps the windows that it is asked to write, and writes none."""

    parallel = 1

    def __init__(self, model: WhisperRecogniser) -> None:
        self.languages, self.word_times = model.languages, model.word_times
        self.max_window_s, self.max_provisional_s = model.max_window_s, model.max_provisional_s
        self.uses_key_terms = model.uses_key_terms
        self._model = model
        self.tasks: list[Task] = []

    @property
    def processor_s(self) -> float:
        return self._model.processor_s

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        return self._model.encode(windows)

    def decode(self, work: Sequence[Task]) -> list[tuple[RecognisedWord, ...]]:
        self.tasks += work
        return [() for _ in work]

    def recognise_provisional(self, work: Sequence[WindowTask[Samples]]) -> list[ProvisionalWords]:
        return self._model.recognise_provisional(work)


class CachingModel:
    """A CTranslate2 model that answers the same question once."""

    def __init__(self, model: Any) -> None:
        self._model = model
        # With the arguments, so that what an id names lives as long.
        self._known: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, spectra: Any) -> Any:
        return self._cached_call("encode", (hash(np.array(spectra).tobytes()),), spectra)

    def generate(self, features: Any, prompts: Any, **options: Any) -> Any:
        return self._cached_call("generate", (id(features), repr(prompts), repr(options)), features, prompts, **options)

    def align(self, features: Any, *asked: Any) -> Any:
        return self._cached_call("align", (id(features), repr(asked)), features, *asked)

    def _cached_call(self, name: str, key: tuple[Any, ...], *arguments: Any, **options: Any) -> Any:
        if (name, *key) not in self._known:
            self._known[name, *key] = (getattr(self._model, name)(*arguments, **options), arguments)
        return self._known[name, *key][0]


@contextmanager
def patched(owner: Any, **values: Any) -> Iterator[None]:
    """Attributes of a module or class, for a while."""
    before = {name: getattr(owner, name) for name in values}
    try:
        for name, value in values.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextmanager
def _without_doubt() -> Iterator[None]:
    def never(text: DecodedText) -> bool:
        return False

    with patched(guards, is_doubtful=never), patched(recogniser, is_doubtful=never):
        yield


@contextmanager
def _without_second_text() -> Iterator[None]:
    decode_text = WhisperRecogniser._decode_text

    def once(self: Any, features: Any, duration_s: float, task: Any, *, with_times: bool) -> tuple[DecodedText, bool]:
        if with_times:
            return DecodedText([], 0.0, 0.0, duration_s), False
        return decode_text(self, features, duration_s, task, with_times=False)

    with patched(WhisperRecogniser, _decode_text=once):
        yield


Change = Callable[[], AbstractContextManager[None]]
GUARDS: dict[str, Change] = {
    "all": nullcontext,
    "- doubt (log-probability, no speech)": _without_doubt,
    "- compression": lambda: patched(guards, MAX_COMPRESSION=np.inf),
    "- repeats": lambda: patched(recogniser, loop_start=len),
    "- hearing the rest again": lambda: patched(recogniser, MAX_PASSES=1),
    "- a second text, with times": _without_second_text,
}
# What is heard, and the words that were said; none where nobody said any.
WindowSet = tuple[list[Task], list[str]]


async def windows_in(models: ModelSet, samples: Samples) -> list[Task]:
    """The windows of a recording, in the order of time."""
    assert isinstance(models.recogniser, WhisperRecogniser)
    kept = WindowRecorder(models.recogniser)
    engine = ModelEngine(replace(models, recogniser=kept))
    try:
        await recognise_words(engine, [as_pcm(samples)])
    finally:
        await engine.close()
    return kept.tasks


async def load_sets(models: ModelSet) -> dict[str, list[WindowSet]]:
    """Each set of recordings, cut into windows."""
    dialogues = [one for one in meetings("synthetic") if one.name in DIALOGUES]
    spoken = {"AMI %": meetings("ami"), "synthetic %": dialogues}
    sounds = {"recorded": recorded(), "made": [made(kind, MADE_S) for kind in MADE]}
    return {
        **{
            name: [(await windows_in(models, one.samples()), folded_words(one.text)) for one in own]
            for name, own in spoken.items()
        },
        **{name: [(await windows_in(models, one.samples), []) for one in own] for name, own in sounds.items()},
    }


def score(model: WhisperRecogniser, recordings: Sequence[WindowSet]) -> float:
    """WER in percent over all words; where none were said, how many were written."""
    errors, words = 0, 0
    for tasks, reference in recordings:
        hypothesis = [token for task in tasks for word in model.decode([task])[0] for token in folded_words(word.text)]
        errors += count_word_errors(reference, hypothesis)
        words += len(reference)
    return round(100 * errors / words, 2) if words else errors


def measure() -> list[dict[str, Any]]:
    """A row for each guard."""
    models = load_default_models(threads=1, recogniser_workers=1)
    model = models.recogniser
    assert isinstance(model, WhisperRecogniser)
    with_detector = asyncio.run(load_sets(models))
    without = asyncio.run(load_sets(replace(models, vad=AlwaysSpeechDetector(models.vad))))
    sets = {**with_detector, **{f"{name}, no detector": own for name, own in without.items()}}
    print(f"{'':<38}" + "".join(f"{name.replace(', ', ' '):>24}" for name in sets))
    rows = []
    with patched(model, _model=CachingModel(model._model)):
        for name, change in GUARDS.items():
            with change():
                row = {of: score(model, own) for of, own in sets.items()}
            rows.append({"guards": name, **row})
            print(f"{name:<38}" + "".join(f"{value:>24}" for value in row.values()), flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_guards", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    rows = measure()
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
