"""A model that reads well and gives nonsense is found at the start, not in the first meeting."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, ModelUnfit, RecognisedWord, Samples
from inference.onnx.speakers.speaker_encoder import OnnxSpeakerEncoder
from inference.onnx.speech.silero_vad import load_silero
from inference.onnx.text.sentence_encoder import OnnxSentenceEncoder
from inference.selection.model_probes import (
    probe_encoder,
    probe_recogniser,
    probe_segmenter,
    probe_text_encoder,
    probe_vad,
)
from tests.inference.onnx import onnx_models
from tests.inference.onnx.onnx_models import FLOAT


def vad_that_gives(value: float) -> Callable[[Path], None]:
    def load(folder: Path) -> None:
        path = onnx_models.save(
            folder / "vad.onnx",
            [
                ("ReduceMean", ["input", "axis"], ["mean"], {"keepdims": 1}),
                ("Mul", ["mean", "nothing"], ["silent"], {}),
                ("Add", ["silent", "value"], ["output"], {}),
                ("Identity", ["state"], ["stateN"], {}),
            ],
            [("input", FLOAT, [1, 576]), ("state", FLOAT, [2, 1, 128])],
            [("output", FLOAT, [1, 1]), ("stateN", FLOAT, [2, 1, 128])],
            axis=np.array([1]),
            nothing=np.array(0, np.float32),
            value=np.array(value, np.float32),
        )
        probe_vad(load_silero(path))

    return load


def encoder_that_gives(value: float) -> Callable[[Path], None]:
    def load(folder: Path) -> None:
        path = onnx_models.save(
            folder / "encoder.onnx",
            [
                ("ReduceMean", ["mels", "axis"], ["mean"], {"keepdims": 0}),
                ("Mul", ["mean", "value"], ["embs"], {}),
            ],
            [("mels", FLOAT, ["n", 80, "t"])],
            [("embs", FLOAT, ["n", 80])],
            axis=np.array([2]),
            value=np.array(value, np.float32),
        )
        path.with_suffix(".json").write_text(json.dumps(onnx_models.encoder_description(dimension=80)))
        probe_encoder(OnnxSpeakerEncoder(path))

    return load


def sentences_of_nothing(folder: Path) -> None:
    onnx_models.save(
        folder / "model.onnx",
        [
            ("Cast", ["input_ids"], ["ids"], {"to": FLOAT}),
            ("Cast", ["attention_mask"], ["mask"], {"to": FLOAT}),
            ("Sub", ["ids", "ids"], ["nothing"], {}),
            ("Mul", ["nothing", "mask"], ["less"], {}),
            ("Unsqueeze", ["less", "axis"], ["last_hidden_state"], {}),
        ],
        onnx_models.text_inputs(),
        [("last_hidden_state", FLOAT, ["n", "t", 1])],
        axis=np.array([2]),
    )
    onnx_models.tokenizer(folder / "tokenizer.json")
    probe_text_encoder(OnnxSentenceEncoder(folder))


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (vad_that_gives(1.5), "probabilities of speech go from 1.5 to 1.5; expected 0 to 1"),
        (vad_that_gives(np.nan), "probabilities of speech go from nan"),
        (encoder_that_gives(0), "speaker vectors have lengths of 0 to 0; expected 1"),
        (encoder_that_gives(np.inf), "speaker vectors have lengths of nan"),
        (sentences_of_nothing, "sentence vectors have lengths of 0 to 0; expected 1"),
    ],
)
def test_a_model_that_gives_nonsense_is_found_by_its_probe(
    tmp_path: Path, load: Callable[[Path], None], said: str
) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(ModelUnfit, match=said):
        load(tmp_path)


class LateRecogniser:
    """Puts every word a second later than it was said."""

    languages: tuple[str, ...] = ("en",)
    max_chunk_s = 5.0
    word_times = True

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        return [
            (RecognisedWord("word", len(chunk) / SAMPLE_RATE_HZ, len(chunk) / SAMPLE_RATE_HZ + 1, None),)
            for chunk in chunks
        ]


def test_words_beyond_their_piece_are_found_by_the_probe() -> None:
    with pytest.raises(ModelUnfit, match=r"returns a word from 1.00 to 2.00 s in a chunk of 1.00 s"):
        probe_recogniser(LateRecogniser())


class SegmenterThatGives:
    """Tells the same of every frame."""

    window_samples, frame_samples, first_frame_samples, frames = 160_000, 270, 495, 589

    def __init__(self, frame: Sequence[float]) -> None:
        self._frame = frame

    def __call__(self, windows: Sequence[Samples]) -> list[NDArray[np.float32]]:
        return [np.tile(np.array(self._frame, np.float32), (self.frames, 1)) for _ in windows]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ([1, 0, 0, 0], r"frames of a window have shape \(589, 4\); expected \(589, 7\)"),
        ([-1, 2, 0, 0, 0, 0, 0], "probabilities of who speaks go from -1 to 2; expected 0 to 1"),
        ([0.5, 0, 0, 0, 0, 0, 0], "its probabilities of who speaks sum to 0.500; expected 1"),
    ],
)
def test_a_segmenter_of_other_classes_is_found_by_its_probe(frame: list[float], said: str) -> None:
    with pytest.raises(ModelUnfit, match=said):
        probe_segmenter(SegmenterThatGives(frame))
