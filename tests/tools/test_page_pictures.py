"""The pictures of the page: the README shows what the command makes."""

from __future__ import annotations

import re

from tests.recordings import ROOT
from tools.page_pictures import FOLDER, PICTURES

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_the_pictures_that_are_made_and_says_what_is_on_them() -> None:
    made = {f"docs/pictures/{picture.file}" for picture in PICTURES}
    assert made == {f"docs/pictures/{file.name}" for file in FOLDER.iterdir()}
    assert set(re.findall(r'(?:src|srcset)="([^"]+)"', README)) == made
    images = re.findall(r"<img [^>]*>", README)
    assert images
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)


def test_each_is_a_png_of_its_size() -> None:
    for picture in PICTURES:
        data = (FOLDER / picture.file).read_bytes()
        assert data.startswith(b"\x89PNG"), picture.file
        assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == picture.size
        assert len(data) < 400_000, f"{picture.file}: too large for a README"
