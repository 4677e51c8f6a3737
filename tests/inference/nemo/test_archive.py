"""Nothing of an archive is written but the few members that a checkpoint has."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from inference.models import ModelCorrupt
from inference.nemo import archive
from inference.nemo.archive import CONFIG, WEIGHTS
from tests.inference.nemo.archives import write_archive

PLAIN = {CONFIG: b"a: 1", WEIGHTS: b"weights", "0123_tokenizer.model": b"pieces"}


def test_members_are_written_as_they_are(tmp_path: Path) -> None:
    (place := tmp_path / "in").mkdir()
    names = archive.unpack(write_archive(tmp_path / "good.nemo", {f"./{n}": c for n, c in PLAIN.items()}), place)
    assert names == set(PLAIN)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == PLAIN


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS])
def test_a_member_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    (place := tmp_path / "in").mkdir()
    path = write_archive(tmp_path / "part.nemo", {name: b"x" for name in PLAIN if name != missing})
    with pytest.raises(ModelCorrupt, match=f"part.nemo holds no {missing}"):
        archive.unpack(path, place)


@pytest.mark.parametrize(
    "name",
    ["../ran.txt", "/tmp/ran.txt", "a/../../ran.txt", "sub/model_config.yaml", "run.py", ".hidden.txt", "tokenizer.sh"],
)
def test_members_outside_and_unknown_ones_are_refused(tmp_path: Path, name: str) -> None:
    place = tmp_path / "in"
    place.mkdir()
    path = write_archive(tmp_path / "evil.nemo", {name: b"x", **PLAIN})
    with pytest.raises(ModelCorrupt, match=r"evil\.nemo: member .* is neither model_config.yaml"):
        archive.unpack(path, place)
    assert not list(place.iterdir())
    assert {file.name for file in tmp_path.iterdir()} == {"in", "evil.nemo"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_only_plain_files_are_unpacked(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "evil.nemo"
    with tarfile.open(path, "w") as file:
        member = tarfile.TarInfo(WEIGHTS)
        member.type, member.linkname = kind, "/etc/passwd"
        file.addfile(member)
    with pytest.raises(ModelCorrupt, match="is not a plain file"):
        archive.unpack(path, tmp_path)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.nemo"
    with tarfile.open(path, "w") as file:
        for _ in range(2):
            file.addfile(tarfile.TarInfo(CONFIG))
    (tmp_path / "in").mkdir()
    with pytest.raises(ModelCorrupt, match="occurs twice"):
        archive.unpack(path, tmp_path / "in")


@pytest.mark.parametrize(
    ("name", "size"),
    [(CONFIG, archive.MAX_CONFIG_BYTES + 1), (WEIGHTS, archive.MAX_WEIGHTS_BYTES + 1), ("t.model", 1 << 40)],
)
def test_a_size_beyond_all_checkpoints_is_refused_before_it_is_read(tmp_path: Path, name: str, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    (path := tmp_path / "huge.nemo").write_bytes(member.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(ModelCorrupt, match=f"huge.nemo: member {name} claims {size} bytes; at most"):
        archive.unpack(path, tmp_path)


@pytest.mark.parametrize("header", [{"path": "../ran"}, {"size": "9"}, {"GNU.sparse.name": "x"}])
def test_an_extended_header_may_not_belie_the_plain_one(tmp_path: Path, header: dict[str, str]) -> None:
    path = tmp_path / "evil.nemo"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as file:
        member = tarfile.TarInfo(CONFIG)
        member.pax_headers = header
        file.addfile(member)
    with pytest.raises(ModelCorrupt, match="renames or resizes a member"):
        archive.unpack(path, tmp_path)


def test_more_members_than_any_checkpoint_has_are_refused(tmp_path: Path) -> None:
    names = {f"t{number}.txt": b"" for number in range(archive.MAX_MEMBERS + 1)}
    (tmp_path / "in").mkdir()
    with pytest.raises(ModelCorrupt, match="more than 256 members"):
        archive.unpack(write_archive(tmp_path / "many.nemo", names), tmp_path / "in")
