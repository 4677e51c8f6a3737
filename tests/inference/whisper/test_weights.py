"""Opening Whisper: from parts in memory, from a folder, and what is said of what is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import pytest

from inference.models import SAMPLE_RATE_HZ, ModelCorrupt, ModelMissing, ModelUnfit, WindowRecogniser
from inference.whisper import load_whisper

pytestmark = pytest.mark.models

Parts = dict[str, tuple[Path, ...]]


@pytest.fixture
def folder(parts: Parts, tmp_path: Path) -> Path:
    """The model without its weights, whose place a few bytes take."""
    path = tmp_path / "whisper-base"
    path.mkdir()
    for name in ("tokenizer.json", "config.json", "vocabulary.txt"):
        shutil.copyfile(parts[name][0], path / name)
    (path / "model.bin").write_bytes(b"\0" * 64)
    return path


def test_it_opens_from_the_parts_that_packages_carry(parts: Parts, tmp_path: Path) -> None:
    recogniser = load_whisper(Path("whisper-base"), parts, languages=["en", "de"])
    assert isinstance(recogniser, WindowRecogniser)
    assert (recogniser.languages, recogniser.parallel, recogniser.uses_key_terms) == (("en", "de"), 1, True)
    with pytest.raises(ModelUnfit, match="whisper-base does not know the languages tlh, xx"):
        load_whisper(Path("whisper-base"), parts, languages=["en", "xx", "tlh"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.bin", r"holds no model\.bin; a Whisper model in CTranslate2's layout has one"),
        ("config.json", r"holds no config\.json; a Whisper model in CTranslate2's layout has one"),
        ("tokenizer.json", r"holds no tokenizer\.json; copy it from the model's source"),
        ("vocabulary.txt", r"holds neither vocabulary\.txt nor vocabulary\.json"),
    ],
)
def test_what_is_missing_is_named(folder: Path, name: str, message: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelMissing, match=rf"whisper-base {message}"):
        load_whisper(folder, {})


@pytest.mark.parametrize("content", [b"no JSON", b"[]", b"\xff\xfe"])
def test_a_config_that_is_none_is_named(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"config\.json cannot be read: "):
        load_whisper(folder, {})


def test_weights_that_are_none_are_named(folder: Path) -> None:
    with pytest.raises(ModelCorrupt, match=r"whisper-base cannot be opened as Whisper: "):
        load_whisper(folder, {})


def test_a_tokenizer_that_is_none_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0"}))
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.json is not a tokenizer: "):
        load_whisper(folder, {})


def test_a_tokenizer_of_something_else_is_named(folder: Path, parts: Parts) -> None:
    tokenizer = json.loads(parts["tokenizer.json"][0].read_text())
    tokenizer["added_tokens"] = [one for one in tokenizer["added_tokens"] if one["content"] != "<|transcribe|>"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelUnfit, match=r"no token <\|transcribe\|>: it is not a Whisper tokenizer"):
        load_whisper(folder, {})


@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named_and_auto_takes_the_cpu(parts: Parts) -> None:
    with pytest.raises(ModelUnfit, match="CTranslate2 finds no CUDA device; set MEETRA_INFERENCE_DEVICE=cpu, or auto"):
        load_whisper(Path("whisper-base"), parts, device="cuda")
    recogniser = load_whisper(Path("whisper-base"), parts, device="auto", workers=2)
    assert (recogniser.parallel, len(recogniser.languages)) == (2, 99)
    (encoded,) = recogniser.encode([np.zeros(SAMPLE_RATE_HZ, np.float32)])
    assert set(encoded.languages) == set(recogniser.languages)
    assert recogniser.processor_s > 0
