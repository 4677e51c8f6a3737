"""What the catalogue says, and how a setting's value becomes a model that was checked."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

import inference
from inference.catalogue import SILERO_VAD, resolve
from inference.catalogue.embedded import EMBEDDED, locate, locate_files
from inference.catalogue.entry import PublishedModel
from inference.catalogue.listing import CatalogueUnreadable, catalogue
from inference.models import ModelCorrupt, ModelMissing, ModelUnfit

DATA = b"weights of a model made by a test"
DIGEST = hashlib.sha256(DATA).hexdigest()
ENTRY = """
[[model]]
name = "mine"
task = "emotions"
repository = "someone/mine"
licence = "MIT"
commercial_use = true
format = "onnx"
backend = "onnx"
files = [{ path = "model.onnx" }, { path = "words/list.txt" }]

[[model]]
name = "idle"
task = "emotions"
repository = "someone/idle"
licence = "CC-BY-NC-4.0"
commercial_use = false
format = "onnx"
files = [{ path = "model.onnx" }]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder, with a user's catalogue beside it."""
    (tmp_path / "mine.toml").write_text(ENTRY)
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


def fill(folder: Path, digest: str = DIGEST) -> None:
    """Lays the model "mine" down as a pull would."""
    files = {}
    for path in ("model.onnx", "words/list.txt"):
        (folder / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mine" / path).write_bytes(DATA)
        files[path] = {"sha256": digest, "size": len(DATA), "stated_by": "hub"}
    record = {"models": {"mine": {"repository": "someone/mine", "revision": "main", "files": files}}}
    (folder / "pulled.json").write_text(json.dumps(record))


def test_everything_recommended_may_be_used_commercially_and_is_known_to_the_byte() -> None:
    members = catalogue().sets["recommended"]
    assert {member.task for member in members} == {"diarization", "speech recognition", "emotions"}
    for member in members:
        assert member.commercial_use
        assert "NC" not in member.licence
        assert not member.gated
        assert re.fullmatch("[0-9a-f]{40}", member.revision)
        assert all(file.sha256 for file in member.files)
        assert member.backend


def test_entries_are_complete_and_their_backends_exist() -> None:
    rooms = {path.name for path in Path(next(iter(inference.__path__))).iterdir() if path.is_dir()}
    known = catalogue()
    assert len({model.key for model in known.models}) == len(known.models)
    for model in known.models:
        assert model.licence
        assert model.backend in rooms | {""}
        # No digest without the commit it was read at, and no figure without its source.
        if isinstance(model, PublishedModel):
            assert model.revision != "main" or not any(file.sha256 for file in model.files)
            assert not model.accuracy or model.accuracy.endswith(")")
    for entry in EMBEDDED:
        found = locate_files(entry)
        for file in entry.files:
            assert sum(path.stat().st_size for path in found[file.name]) == file.size


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


def test_whisper_is_known_in_several_sizes_each_in_the_layout_its_backend_reads() -> None:
    names = "base tiny.en small medium large-v3 large-v3-turbo distil-large-v3.5".split()
    for name in names:
        entry = catalogue().find(f"whisper-{name}" if name != "base" else "whisper-base-hub")
        assert isinstance(entry, PublishedModel)
        assert (entry.task, entry.format, entry.backend) == ("speech recognition", "ctranslate2", "whisper")
        assert (entry.licence, entry.commercial_use) == ("MIT", True)
        assert re.fullmatch("[0-9a-f]{40}", entry.revision)
        files = {file.path for file in entry.files}
        assert {"config.json", "model.bin", "tokenizer.json"} < files
        assert files & {"vocabulary.txt", "vocabulary.json"}
        # Digests of all its files or of none: those of a revision are settled together.
        assert len({file.sha256 is None for file in entry.files}) == 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("someone/mine", "no repository"), r"model\.0\.repository"),
        (("model.onnx", "../model.onnx"), r"model\.0\.files\.0\.path"),
        (("words/list.txt", "words/../../list.txt"), "inside the model's folder"),
        (("words/list.txt", "model.onnx"), "path must be unique"),
        (('"emotions"', '"feelings"'), "task must be one of"),
        (('licence = "MIT"\n', ""), r"model\.0\.licence: Field required"),
        (('path = "model.onnx"', 'path = "model.onnx", sha256 = "abc"'), r"files\.0\.sha256"),
        (('name = "mine"', 'name = "Mine or yours"'), r"model\.0\.name"),
        (("[[model]]", "[[model]"), "not valid TOML"),
        (("[[model]]", '[sets]\nmost = ["nothing"]\n[[model]]'), "nothing is not a published model"),
        (("[[model]]", '[sets]\nmost = ["mine", "idle"]\n[[model]]'), "one model per task"),
    ],
)
def test_a_mistake_in_a_users_catalogue_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], complaint: str
) -> None:
    path = tmp_path / "changed.toml"
    path.write_text(ENTRY.replace(*change, 1))
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(path))
    with pytest.raises(CatalogueUnreadable, match=complaint) as error:
        catalogue()
    assert str(path) in str(error.value)


def test_a_users_catalogue_is_bounded_and_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.toml"
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(path))
    with pytest.raises(CatalogueUnreadable, match="No such file"):
        catalogue()
    path.write_text("# " + "x" * 1024 * 1024)
    with pytest.raises(CatalogueUnreadable, match="larger than"):
        catalogue()


def test_a_users_entry_takes_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mirror.toml"
    path.write_text(ENTRY.replace('name = "mine"', 'name = "go-emotions-roberta-onnx-int8"'))
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(path))
    found = catalogue().find("go-emotions-roberta-onnx-int8")
    assert isinstance(found, PublishedModel)
    assert found.repository == "someone/mine"
    assert found in catalogue().sets["recommended"]


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
