"""Moonshine, on a tiny model made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.models import ModelMissing, ModelUnfit
from inference.onnx.speech.recogniser_loading import load_recogniser
from tests.inference.onnx import onnx_models
from tests.inference.onnx.speech import onnx_recognisers
from tests.inference.onnx.speech.onnx_recognisers import noises


def test_moonshine_says_word_after_word_with_what_it_keeps(tmp_path: Path) -> None:
    recogniser = load_recogniser(onnx_recognisers.moonshine(tmp_path), languages=("en",))
    together = recogniser(noises(4.0, 2.5))
    assert [[word.text for word in words] for words in together] == [onnx_recognisers.MOONSHINE_SAYS] * 2
    vocabulary = onnx_models.tokenizer(tmp_path / "tokenizer.json").get_vocab_size()
    for words in together:
        # Each token's score is 5, all others' 0.
        assert [word.confidence for word in words] == pytest.approx([np.exp(5) / (np.exp(5) + vocabulary - 1)] * 4)
    assert together[1] == recogniser(noises(4.0, 2.5)[1:])[0]
    assert together[0][-1].end_s == 4.0


def test_moonshine_never_says_more_than_anybody_can_in_the_time(tmp_path: Path) -> None:
    recogniser = load_recogniser(onnx_recognisers.moonshine(tmp_path), languages=("en",))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "moonshine", "decoder_start_token_id": 0, "eos_token_id": 399}))
    endless = load_recogniser(tmp_path, languages=("en",))
    # 6 tokens a second, of which one was the end that it took for none.
    assert [len(words) for words in endless(noises(2.0, 4.0))] == [11, 23]
    assert recogniser.max_chunk_s == 5.0


def test_moonshines_files_are_asked_for(tmp_path: Path) -> None:
    folder = onnx_recognisers.moonshine(tmp_path)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelMissing, match=r"no tokenizer.json"):
        load_recogniser(folder)
    (folder / "onnx" / "encoder_model.onnx").unlink()
    with pytest.raises(ModelMissing, match=r"no encoder_model.onnx with decoder_model_merged.onnx"):
        load_recogniser(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "moonshine"}))
    with pytest.raises(ModelUnfit, match=r"decoder_start_token_id is None; expected a token's number"):
        load_recogniser(folder)
    with pytest.raises(ModelUnfit, match=r"is not a folder; a recogniser is a folder"):
        load_recogniser(folder / "config.json")
