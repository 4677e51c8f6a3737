"""What the catalogue says, and how a setting's value becomes a model that was checked."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from inference.catalogue import SILERO_VAD, resolve
from inference.catalogue.embedded import locate
from inference.catalogue.listing import catalogue
from inference.models import ModelCorrupt, ModelMissing, ModelUnfit

DATA = b"weights of a model made by a test"
DIGEST = hashlib.sha256(DATA).hexdigest()


def fill(folder: Path, digest: str = DIGEST) -> None:
    """Lays the model "mine" down as a pull would."""
    files = {}
    for path in ("model.onnx", "words/list.txt"):
        (folder / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mine" / path).write_bytes(DATA)
        files[path] = {"sha256": digest, "size": len(DATA), "stated_by": "hub"}
    record = {"models": {"mine": {"repository": "someone/mine", "revision": "main", "files": files}}}
    (folder / "pulled.json").write_text(json.dumps(record))


def test_an_embedded_model_resolves_by_name_and_key() -> None:
    for name in ("silero-vad 6.2.3", "silero-vad-6.2.3", "Silero-VAD-6.2.3"):
        found = resolve(name, "voice activity")
        assert found.path == locate(SILERO_VAD)
        assert found.sha256 == {file.name: file.sha256 for file in SILERO_VAD.files}
        assert not found.parts


def test_a_folder_filled_elsewhere_resolves_without_a_network(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    fill(elsewhere)
    shutil.copytree(elsewhere, folder)
    found = resolve("mine", "emotions")
    assert found.path == folder / "mine"
    assert (found.format, found.task) == ("onnx", "emotions")
    assert found.sha256 == {"model.onnx": DIGEST, "words/list.txt": DIGEST}
    (folder / "pulled.json").unlink()
    with pytest.raises(ModelCorrupt, match=r"copy pulled\.json along"):
        resolve("mine", "emotions")


def test_a_missing_model_is_named_with_the_command_that_brings_it(folder: Path) -> None:
    with pytest.raises(ModelMissing, match=r"run: meetra models pull mine$"):
        resolve("mine", "emotions")
    fill(folder)
    (folder / "mine/words/list.txt").unlink()
    with pytest.raises(ModelMissing, match=r"list\.txt; run: meetra models pull mine$"):
        resolve("mine", "emotions")
    with pytest.raises(ModelMissing, match=r"no model named 'mein'.*the catalogue has: .*\bmine\b"):
        resolve("mein", "emotions")


def test_one_flipped_bit_is_found(folder: Path) -> None:
    fill(folder)
    path = folder / "mine/words/list.txt"
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelCorrupt, match=rf"list\.txt has SHA-256 .*, not {DIGEST}; run: meetra models pull mine"):
        resolve("mine", "emotions")


def test_a_model_for_another_task_or_without_a_backend_is_unfit(folder: Path) -> None:
    fill(folder)
    with pytest.raises(ModelUnfit, match="mine is for emotions, not sentiment; models for sentiment: vader"):
        resolve("mine", "sentiment")
    with pytest.raises(ModelUnfit, match="no backend runs it yet"):
        resolve("idle", "emotions")


def test_a_users_own_file_is_taken_and_checked_against_its_pin(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(DATA)
    plain = resolve(str(path), "diarization")
    assert (plain.path, plain.format, plain.task, plain.entry, dict(plain.sha256)) == (
        path,
        "onnx",
        "diarization",
        None,
        {},
    )
    assert dict(resolve(f"{path}@sha256:{DIGEST.upper()}", "diarization").sha256) == {"mine.onnx": DIGEST}
    with pytest.raises(ModelCorrupt, match=f"has SHA-256 {DIGEST}, not {'0' * 64}"):
        resolve(f"{path}@sha256:{'0' * 64}", "diarization")
    with pytest.raises(ModelUnfit, match="64 hexadecimal digits"):
        resolve(f"{path}@sha256:abc", "diarization")
    with pytest.raises(ModelMissing, match="no model at"):
        resolve(str(tmp_path / "none.onnx"), "diarization")
    (tmp_path / "notes.md").write_text("no model")
    with pytest.raises(ModelUnfit, match=r"ends in \.onnx"):
        resolve(str(tmp_path / "notes.md"), "diarization")


def test_a_users_own_folder_is_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(ModelUnfit, match="holds no file"):
        resolve(f"{tmp_path}/parts", "speech recognition")
    (tmp_path / "parts/encoder.onnx").write_bytes(DATA)
    assert resolve(f"{tmp_path}/parts", "speech recognition").format == "onnx"
    with pytest.raises(ModelUnfit, match="is for one file"):
        resolve(f"{tmp_path}/parts@sha256:{DIGEST}", "speech recognition")


def test_a_users_own_folder_in_ctranslate2s_layout_is_known_by_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "whisper"
    folder.mkdir()
    (folder / "model.bin").write_bytes(DATA)
    with pytest.raises(ModelUnfit, match=r"holds no file .*, and not model\.bin and config\.json"):
        resolve(str(folder), "speech recognition")
    (folder / "config.json").write_text("{}")
    found = resolve(str(folder), "speech recognition")
    assert (found.path, found.format, found.entry, dict(found.parts)) == (folder, "ctranslate2", None, {})
    # What it was converted from may lie beside.
    (folder / "model.safetensors").write_bytes(DATA)
    assert resolve(str(folder), "speech recognition").format == "ctranslate2"
    (folder / "model.bin").unlink()
    assert resolve(str(folder), "speech recognition").format == "safetensors"
    (folder / "model.bin").write_bytes(DATA)
    with pytest.raises(ModelUnfit, match="for CTranslate2 give the folder"):
        resolve(str(folder / "model.bin"), "speech recognition")


def test_the_files_of_onnx_entries_are_the_layout_their_backend_reads(tmp_path: Path) -> None:
    from inference.onnx.text.text_files import find_text_model

    loader = pytest.importorskip("onnx_asr.loader")
    tried = [model for model in catalogue().published if model.backend == "onnx" and model.format == "onnx"]
    assert {model.task for model in tried} == {"speech recognition", "emotions", "sentiment"}
    for model in tried:
        folder = tmp_path / model.name
        for file in model.files:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_text("{}")
        if model.task == "speech recognition":
            kind = "whisper" if "whisper" in model.name else f"nemo-conformer-{model.name.split('-')[1]}"
            resolver = loader.create_asr_resolver(kind, folder, offline=True)
            quantisation = "quantized" if kind == "whisper" else "int8" if "int8" in model.name else None
            found = [path.resolve() for path in resolver.resolve_model(quantization=quantisation).values()]
        else:
            text = find_text_model(folder, model.task)
            found = [text.graph, text.tokenizer, text.find_file("config.json")]
        assert len(found) >= 3
        assert set(found) <= {folder / file.path for file in model.files}
