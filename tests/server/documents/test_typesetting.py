"""PDF reports, laid out by the real child process and read by PDFium."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from server.documents import typesetting
from server.documents.meeting import Stretch
from server.documents.typesetting import to_pdf
from server.errors import DocumentNotMade
from tests.server.documents.documented import KINDS, agreed, documented, silent

pytestmark = pytest.mark.children
SENTENCES = 10_000


def text_of(document: pypdfium2.PdfDocument) -> str:
    """What a reader can search in it, without spaces: where lines end is the typesetter's."""
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)


def searched(text: str) -> str:
    """A text as it is searched: what joins pictographs is no letter."""
    return re.sub(r"[\s\u200d\x00-\x1f]", "", text)


@pytest.mark.parametrize("kind", KINDS)
async def test_names_and_words_of_every_script_are_found_in_it(kind: str) -> None:
    shown = documented(kind)
    document = pypdfium2.PdfDocument(await to_pdf(shown))
    assert document.get_metadata_value("Title") == shown.name
    assert document.is_tagged()
    found = searched(text_of(document))
    texts = [*shown.names.values(), *(one.text for one in shown.statements), "How the numbers are made"]
    if kind != "arabic":  # PDFium leaves pictographs of such lines out
        texts.append(shown.name)
    for text in texts:
        assert searched(text) in found


async def test_the_page_is_drawn_with_charts_in_the_colours_of_people() -> None:
    document = pypdfium2.PdfDocument(await to_pdf(documented("german")))
    page: Any = document[0]
    picture = page.render(scale=1, rev_byteorder=True).to_numpy()[:, :, :3]
    for colour in ("3566c9", "b5530b", "2451b8"):  # of both people, and of scores
        assert (picture == list(bytes.fromhex(colour))).all(axis=2).sum() > 200
    kinds = [each.type for each in page.get_objects()]
    assert pypdfium2.raw.FPDF_PAGEOBJ_PATH in kinds
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE not in kinds


async def test_no_letter_is_missing_in_any_script() -> None:
    names = "Ωμέγα Жуков שלום देवनागरी বাংলা தமிழ் తెలుగు ไทย ລາວ ខ្មែរ မြန်မာ አማርኛ Հայ ქართ 漢字 ひらがな 한국어 👩‍🚀 ☀"
    shown = documented("german")
    one = replace(shown.statements[0], text=names)
    document = pypdfium2.PdfDocument(await to_pdf(replace(shown, statements=(one,))))
    # A letter that no font has would be found as no text.
    found = text_of(document)
    for word in names.split():
        assert searched(word)[0] in found


async def test_notes_are_in_it_with_who_when_and_by_when() -> None:
    shown = agreed()
    notes = shown.quality["notes"]
    notes["decisions"][0]["outdated"] = True
    found = text_of(pypdfium2.PdfDocument(await to_pdf(shown)))
    for row in (
        "Saidat Who What Bywhen 0:00:03,0:00:07 Ben I'llsend*the*offerbyFriday. byFriday",
        "Saidat Decision 0:00:00 Wehavedecidedtokeep|it.(writtenbeforeacorrection)",
        "I'llsend*the*offerbyFriday.0:00:03",
    ):
        assert searched(row) in found.replace("\u200e", "")
    assert "Chapters" in found
    german = text_of(pypdfium2.PdfDocument(await to_pdf(documented("german"))))
    assert "ActionitemsanddecisionsarefoundinEnglishonly;thismeetingisinGerman(de)." in german


async def test_long_words_stay_in_their_columns() -> None:
    shown = agreed()
    item: Any = shown.quality["notes"]["action_items"][0]
    item.update(speaker=None, person="x" * 100, due="y" * 150)
    document = pypdfium2.PdfDocument(await to_pdf(shown))
    page = document[0].get_textpage()
    ends: dict[str, float] = {"x": 0.0, "y": 0.0}
    for place, letter in enumerate(page.get_text_range()):
        if letter in ends:
            ends[letter] = max(ends[letter], page.get_charbox(place)[2])
    who_ends, when_ends = 85 * 72 / 25.4, 192 * 72 / 25.4
    assert 0 < ends["x"] < who_ends
    assert who_ends < ends["y"] < when_ends


async def test_a_meeting_without_speech_is_a_report_too() -> None:
    assert "Weekly" in text_of(pypdfium2.PdfDocument(await to_pdf(silent())))


async def test_a_long_meeting_is_laid_out_within_the_limits() -> None:
    shown = documented("german")
    texts = (one.text for one in shown.statements)
    line = " ".join(texts)
    statements = tuple(Stretch(number * 1440, number * 1440 + 900, 1 + number % 2, line) for number in range(SENTENCES))
    pdf = await to_pdf(replace(shown, duration_ms=14_400_000, statements=statements, speech=statements))
    document = pypdfium2.PdfDocument(pdf)
    last = document[len(document) - 3].get_textpage().get_text_range()
    assert re.search(r"3:5\d:\d\d", last)


async def test_what_cannot_be_laid_out_is_an_error_with_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = documented("german")
    unbroken = replace(shown.statements[0], text="👩\u200d🚀\u0301" * 10_000)
    with pytest.raises(DocumentNotMade):
        await to_pdf(replace(shown, statements=(unbroken,)))
    with monkeypatch.context() as patched:
        # A file in the working directory, which the typesetter lets a source read.
        stolen = tmp_path / "source.typ"
        stolen.write_text('#raw(read("/pyproject.toml"))')
        patched.setattr(typesetting, "SOURCE", stolen)
        with pytest.raises(DocumentNotMade):
            await to_pdf(shown)
    monkeypatch.setattr(typesetting, "PATIENCE_S", 0.0)
    with pytest.raises(DocumentNotMade):
        await to_pdf(shown)
