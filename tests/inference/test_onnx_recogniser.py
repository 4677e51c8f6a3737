"""Recognisers in published ONNX layouts, run by onnx-asr on tiny models made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit, RecognisedWord, Samples
from inference.onnx.features.log_mel import LogMel, LogMelSettings
from inference.onnx.speech.recognised_words import tokens_to_words, words_by_letters
from inference.onnx.speech.recogniser import OnnxRecogniser
from inference.onnx.speech.recogniser_loading import load_recogniser
from tests.inference import onnx_models, onnx_recognisers
from tests.inference.onnx_recognisers import BLANK, VOCABULARY

pytest.importorskip("onnx_asr")
RATE = 16_000


def noises(*seconds: float) -> list[Samples]:
    random = np.random.default_rng(1)
    return [np.asarray(random.normal(0, 0.1, int(s * RATE)), np.float32) for s in seconds]


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


def test_word_pieces_become_words() -> None:
    words = tokens_to_words(
        [" good", " mor", "ning", ",", " all", " ", "."],
        [0.1, 0.5, 0.6, 0.9, 2.0, 2.1, 2.2],
        [-0.1, -0.2, -0.7, 0, 0, 0, 0],
        3.0,
    )
    assert [(w.text, w.start_s, w.end_s) for w in words] == [
        ("good", 0.1, 0.5),
        ("morning,", 0.5, pytest.approx(1.3)),
        ("all.", 2.0, pytest.approx(2.6)),
    ]
    assert words[1].confidence == pytest.approx(np.exp(-0.7))
    letters = tokens_to_words([" ", "h", "i", " ", "y", "o", "u"], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], None, 0.8)
    assert [(w.text, w.start_s, w.confidence) for w in letters] == [("hi", 0.1, None), ("you", 0.4, None)]
    assert tokens_to_words([], [], [], 1.0) == ()
    assert words_by_letters("", 1.0) == ()
    assert words_by_letters("ab", 2.0) == (RecognisedWord("ab", 0.0, 2.0, None),)


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
        (with_words_for_a_vocabulary, ModelCorrupt, "is no nemo-conformer-ctc"),
    ],
)
def test_a_folder_that_is_not_right_is_refused_with_what_is_wrong(
    tmp_path: Path, spoil: Callable[[Path], None], kind: type[Exception], said: str
) -> None:
    folder = onnx_recognisers.conformer_ctc(tmp_path)
    spoil(folder)
    with pytest.raises(kind, match=said):
        OnnxRecogniser(folder)


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
