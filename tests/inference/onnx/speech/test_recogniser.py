"""Recognisers in published ONNX layouts, run by onnx-asr on tiny models made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit, Samples
from inference.onnx.features.log_mel import LogMel, LogMelSettings
from inference.onnx.speech.recognised_words import tokens_to_words
from inference.onnx.speech.recogniser import OnnxRecogniser
from tests.inference.onnx import onnx_models
from tests.inference.onnx.speech import onnx_recognisers
from tests.inference.onnx.speech.onnx_recognisers import BLANK, RATE, VOCABULARY, noises

pytest.importorskip("onnx_asr")


def heard_by_convolution(piece: Samples) -> tuple[list[str], list[float], list[float]]:
    """What the tiny CTC model hears, computed here from the spectra up."""
    mels = LogMel(LogMelSettings())(piece)
    padded = np.pad(mels, ((0, 0), (0, -mels.shape[1] % 8)))
    blocks = padded.reshape(80, -1, 8)
    scores = np.einsum("ctk,vck->tv", blocks, onnx_models.random(len(VOCABULARY), 80, 8) / 10)
    logprobs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    best = logprobs.argmax(axis=1)
    tokens: list[str] = []
    times: list[float] = []
    sure: list[float] = []
    for frame, token in enumerate(best):
        if VOCABULARY[token] == BLANK:
            continue
        if frame and best[frame - 1] == token:
            sure[-1] += float(logprobs[frame, token])
            continue
        tokens.append(VOCABULARY[token].replace("▁", " "))
        times.append(frame * 0.08)
        sure.append(float(logprobs[frame, token]))
    return tokens, times, sure


def test_words_of_a_ctc_model_are_what_its_graph_says_from_the_spectra_up(tmp_path: Path) -> None:
    recogniser = OnnxRecogniser(onnx_recognisers.conformer_ctc(tmp_path), languages=("en",))
    (piece,) = noises(2.5)
    (words,) = recogniser([piece])
    tokens, times, sure = heard_by_convolution(piece)
    expected = tokens_to_words(tokens, times, sure, 2.5)
    assert len(words) > 5
    assert [word.text for word in words] == [word.text for word in expected]
    for word, wanted in zip(words, expected, strict=True):
        assert word.start_s == pytest.approx(wanted.start_s, abs=1e-6)
        assert word.end_s == pytest.approx(wanted.end_s, abs=1e-6)
        assert word.confidence == pytest.approx(wanted.confidence, rel=1e-3)


@pytest.mark.parametrize(
    "layout", [onnx_recognisers.conformer_ctc, onnx_recognisers.conformer_tdt, onnx_recognisers.whisper]
)
def test_a_piece_has_the_same_words_alone_and_in_company(tmp_path: Path, layout: Callable[[Path], Path]) -> None:
    recogniser = OnnxRecogniser(layout(tmp_path), languages=("en",))
    pieces = noises(1.3, 4.1, 0.2, 2.0, 1.3)
    together = recogniser(pieces)
    alone = [recogniser([piece])[0] for piece in pieces]
    assert [[w.text for w in words] for words in together] == [[w.text for w in words] for words in alone]
    for ours, theirs in zip(together, alone, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert (a.start_s, a.end_s) == pytest.approx((b.start_s, b.end_s))
            assert a.confidence == pytest.approx(b.confidence, abs=1e-5)
    for words, piece in zip(together, pieces, strict=True):
        assert all(0 <= w.start_s <= w.end_s <= len(piece) / RATE for w in words)
    assert any(words for words in together)


def test_a_transducer_says_how_sure_it_is_of_each_word(tmp_path: Path) -> None:
    recogniser = OnnxRecogniser(onnx_recognisers.conformer_tdt(tmp_path))
    words = recogniser(noises(3.0))[0]
    assert len(words) > 3
    assert len({word.confidence for word in words}) > 3
    assert all(word.confidence is not None and 0 < word.confidence < 1 for word in words)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)


def test_words_without_times_share_the_pieces_time(tmp_path: Path) -> None:
    recogniser = OnnxRecogniser(onnx_recognisers.whisper(tmp_path), languages=("en",))
    assert recogniser.max_chunk_s == 5.0
    (words,) = recogniser(noises(1.8))
    assert [word.text for word in words] == ["good", "morning", "all"]
    assert [word.end_s for word in words] == pytest.approx([0.5, 1.3, 1.7], abs=0.11)
    assert [word.confidence for word in words] == [None, None, None]


def test_quantised_graphs_are_taken_where_there_are_no_others(tmp_path: Path) -> None:
    folder = onnx_recognisers.conformer_ctc(tmp_path)
    plain = OnnxRecogniser(folder)(noises(2.0))
    (folder / "model.onnx").rename(folder / "model.int8.onnx")
    assert OnnxRecogniser(folder)(noises(2.0)) == plain


def broken(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")


def without_vocabulary(folder: Path) -> None:
    (folder / "vocab.txt").unlink()


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def of_another_kind(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "wav2letter"}))


def with_words_for_a_vocabulary(folder: Path) -> None:
    (folder / "vocab.txt").write_text("not a vocabulary at all\n")


@pytest.mark.parametrize(
    ("spoil", "kind", "said"),
    [
        (broken, ModelCorrupt, "nemo-conformer-ctc: .*model.onnx"),
        (without_vocabulary, ModelMissing, r"not complete for model_type nemo-conformer-ctc: File 'vocab.txt'"),
        (without_config, ModelMissing, "holds no config.json: write one"),
        (of_another_kind, ModelUnfit, "model_type is 'wav2letter'; expected one of nemo-conformer-ctc"),
        (with_words_for_a_vocabulary, ModelCorrupt, "is not a nemo-conformer-ctc"),
    ],
)
def test_a_folder_that_is_not_right_is_refused_with_what_is_wrong(
    tmp_path: Path, spoil: Callable[[Path], None], kind: type[Exception], said: str
) -> None:
    folder = onnx_recognisers.conformer_ctc(tmp_path)
    spoil(folder)
    with pytest.raises(kind, match=said):
        OnnxRecogniser(folder)
