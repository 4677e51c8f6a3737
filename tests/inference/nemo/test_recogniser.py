"""Recognisers of NeMo behind the Protocol, against NeMo's own ``transcribe`` of each piece alone."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.random_speaker_encoder import speaker_encoder
from benchmarks.random_speech_models import KINDS, PIECES, recogniser, speechlike, train_tokenizer
from inference.models import SAMPLE_RATE_HZ, ModelUnfit, RecognisedWord
from tests.devices import torch_device
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

# Nothing but a tenth of a second, several lengths twice, and more than goes into one pass of the narrow recogniser.
SECONDS = (3.0, 1.1, 5.77, 0.31, 12.0, 0.05, 2.2, 3.0)
PIECES_OF_SPEECH = [speechlike(seconds, seed) for seed, seconds in enumerate(SECONDS)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module", params=KINDS)
def checkpoint(request: pytest.FixtureRequest, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / f"{request.param}.nemo"
    recogniser(request.param, tokenizer).save_to(str(path))
    return path


def load(path: Path, dtype: str = "float32") -> Any:
    from inference.nemo.recogniser import load_recogniser

    return load_recogniser(path, device=torch_device(), dtype=dtype, languages=("en", "de"))


def transcribed_by_nemo(path: Path) -> list[list[tuple[str, float, float]]]:
    from inference.nemo.checkpoint import load_checkpoint
    from inference.nemo.recogniser import RECOGNISERS

    model = load_checkpoint(path, RECOGNISERS, device="cpu")
    answers = []
    for piece in PIECES_OF_SPEECH:
        # NeMo pads to 1 s on both sides and then moves its times; here silence comes after the piece.
        padded = np.pad(piece, (0, max(0, SAMPLE_RATE_HZ - len(piece))))
        words = model.transcribe([padded], timestamps=True, verbose=False, batch_size=1)[0].timestamp["word"]
        answers.append([(w["word"].strip(), w["start"], w["end"]) for w in words if w["word"].strip()])
    return answers


def test_words_and_times_are_those_of_nemo_for_each_piece_alone(checkpoint: Path) -> None:
    expected = transcribed_by_nemo(checkpoint)
    found = load(checkpoint)(PIECES_OF_SPEECH)
    assert sum(len(words) for words in expected) > 50
    assert len({word for words in expected for word, _, _ in words}) > 10
    for piece, words, of_nemo in zip(PIECES_OF_SPEECH, found, expected, strict=True):
        assert [word.text for word in words] == [text for text, _, _ in of_nemo]
        if checkpoint.stem == "ctc":
            continue  # NeMo's times are a token early there; see below
        end = len(piece) / SAMPLE_RATE_HZ
        for word, (_, start_s, end_s) in zip(words, of_nemo, strict=True):
            assert word.start_s == pytest.approx(min(start_s, end), abs=1e-3)
            assert word.end_s == pytest.approx(min(end_s, end), abs=1e-3)


def test_words_do_not_depend_on_company(checkpoint: Path) -> None:
    from inference.nemo.recogniser import NemoRecogniser

    together = load(checkpoint)
    narrow = NemoRecogniser(load(checkpoint)._model, ("en",), batch_s=8.0)
    found = together(PIECES_OF_SPEECH)
    for way in (narrow(PIECES_OF_SPEECH), [together([piece])[0] for piece in PIECES_OF_SPEECH]):
        for words, alone in zip(found, way, strict=True):
            assert [(w.text, w.start_s, w.end_s) for w in words] == [(w.text, w.start_s, w.end_s) for w in alone]
            assert [w.confidence for w in words] == pytest.approx([w.confidence for w in alone], abs=1e-4)


def test_words_are_in_the_order_of_time_within_the_piece_and_say_how_sure_they_are(checkpoint: Path) -> None:
    for piece, words in zip(PIECES_OF_SPEECH, load(checkpoint)(PIECES_OF_SPEECH), strict=True):
        assert all(isinstance(word, RecognisedWord) for word in words)
        assert [word.start_s for word in words] == sorted(word.start_s for word in words)
        for word in words:
            assert 0 <= word.start_s <= word.end_s <= len(piece) / SAMPLE_RATE_HZ
            assert word.confidence is not None
            assert 0 <= word.confidence <= 1
            assert word.text == word.text.strip() != ""


def test_no_piece_has_no_words_and_a_piece_too_long_is_refused_by_name(checkpoint: Path) -> None:
    model = load(checkpoint)
    assert model([]) == []
    assert model.languages == ("en", "de")
    too_long = np.zeros(int(model.max_chunk_s * SAMPLE_RATE_HZ) + 1, np.float32)
    with pytest.raises(ValueError, match=r"chunks\[1\] has 480001 samples"):
        model([PIECES_OF_SPEECH[0], too_long])
    with pytest.raises(ValueError, match=r"chunks\[0\] has 0 samples"):
        model([too_long[:0]])


def test_words_of_a_ctc_model_lie_where_its_tokens_are_seen(tokenizer: Path, tmp_path: Path) -> None:
    """From the first frame of a word's first token to the last frame of its last."""
    import torch

    path = tmp_path / "ctc.nemo"
    recogniser("ctc", tokenizer).save_to(str(path))
    model = load(path)
    inner = model._model
    for piece in (piece for piece in PIECES_OF_SPEECH if len(piece) >= SAMPLE_RATE_HZ):
        with torch.inference_mode():
            scores, _, _ = inner.forward(
                input_signal=torch.from_numpy(piece)[None], input_signal_length=torch.tensor([len(piece)])
            )
        best = scores[0].argmax(-1).tolist()
        seen = [(k, [i for i, _ in run]) for k, run in groupby(enumerate(best), key=lambda pair: pair[1])]
        seen = [(k, frames) for k, frames in seen if k != PIECES]
        starts = [frames[0] for k, frames in seen if inner.tokenizer.vocab[k].startswith("▁")]
        words = model([piece])[0]
        assert len(words) > 3
        assert {round(word.start_s / 0.08) for word in words[1:]} <= set(starts)
        ends = {min((frames[-1] + 1) * 0.08, len(piece) / SAMPLE_RATE_HZ) for _, frames in seen}
        assert all(min(abs(word.end_s - end) for end in ends) < 1e-6 for word in words)


def test_half_precision_hears_about_the_same(checkpoint: Path) -> None:
    """Random models decide by a hair, so that more than a similarity cannot be asked."""
    exact, rough = (
        "".join(word.text for words in load(checkpoint, dtype)(PIECES_OF_SPEECH) for word in words)
        for dtype in ("float32", "bfloat16")
    )
    same = SequenceMatcher(None, exact, rough, autojunk=False).ratio()
    chance = SequenceMatcher(None, exact, exact[::-1], autojunk=False).ratio()
    assert same > max(0.5, 2 * chance)


def test_a_speaker_encoder_is_no_recogniser(tmp_path: Path) -> None:
    path = tmp_path / "titanet.nemo"
    speaker_encoder().save_to(str(path))
    with pytest.raises(ModelUnfit, match="EncDecSpeakerLabelModel"):
        load(path)
