"""What the catalogue says, and what users add to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import inference
from inference.catalogue.embedded import EMBEDDED, locate_files
from inference.catalogue.entry import PublishedModel
from inference.catalogue.listing import CatalogueUnreadable, catalogue
from tests.inference.catalogue.users_catalogue import ENTRY


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
