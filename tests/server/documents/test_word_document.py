"""Documents for word processors, read back."""

from __future__ import annotations

import io

import pytest
from docx import Document

from server.documents.word_document import to_docx
from tests.server.documents.documented import KINDS, documented, of_conversation, silent
from tests.server.insights.meetings_in_languages import meeting, talk


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_has_headings_people_and_every_statement(kind: str) -> None:
    shown = documented(kind)
    document = Document(io.BytesIO(to_docx(shown)))
    assert document.core_properties.title == document.paragraphs[0].text == shown.name
    headings = [
        paragraph.text for paragraph in document.paragraphs if paragraph.style and paragraph.style.name == "Heading 1"
    ]
    assert headings[-1] == "Transcript"
    assert [row.cells[0].text for row in document.tables[0].rows][1:] == [shown.names[1], shown.names[2]]
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    for statement in shown.statements:
        said = "".join(sign for sign in statement.text if sign >= " ")
        assert any(text.endswith(f"  {shown.name_of(statement.speaker)}: {said}") for text in paragraphs)


def test_a_meeting_without_speech_is_a_document_too() -> None:
    document = Document(io.BytesIO(to_docx(silent())))
    assert [paragraph.text for paragraph in document.paragraphs][:2] == ["Weekly", "2026-11-28 · 0:00:05"]


def test_what_no_xml_may_hold_is_left_out_and_a_long_name_is_no_error() -> None:
    shown = of_conversation(talk(meeting("en", (1, "so \x1b[31m red\ufffe."))), ("A\x00da",), name="n" * 500)
    document = Document(io.BytesIO(to_docx(shown)))
    assert (document.core_properties.title, document.paragraphs[0].text) == ("n" * 255, "n" * 500)
    assert document.paragraphs[-1].text.endswith("Ada: so [31m red.")
