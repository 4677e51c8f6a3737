"""A document for word processors (Office Open XML)."""

from __future__ import annotations

import io

from docx import Document
from docx.document import Document as WordDocument

from server.documents.meeting import DocumentedMeeting, xml_text
from server.documents.outline import Block, Points, Said, Table, sections, subtitle

# Of Office Open XML, for a property of the document.
MAX_PROPERTY = 255


def to_docx(meeting: DocumentedMeeting) -> bytes:
    """Return a DOCX file with headings, tables and the transcript."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = xml_text(meeting.name)[:MAX_PROPERTY], "", ""
    properties.language = meeting.language
    document.add_heading(xml_text(meeting.name), 0)
    document.add_paragraph(subtitle(meeting))
    for section in sections(meeting):
        document.add_heading(section.heading, 1)
        for block in section.blocks:
            _add(document, block)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _add(document: WordDocument, block: Block) -> None:
    if isinstance(block, Said):
        paragraph = document.add_paragraph()
        paragraph.add_run(f"{block.clock}  ").italic = True
        paragraph.add_run(f"{xml_text(block.name)}: ").bold = True
        paragraph.add_run(xml_text(block.text))
    elif isinstance(block, Points):
        for text in block.texts:
            document.add_paragraph(xml_text(text), style="List Bullet")
    elif isinstance(block, Table):
        head, *rows = block.rows
        table = document.add_table(rows=1, cols=len(head), style="Light Grid Accent 1")
        for row, cells in [(table.rows[0], head), *((table.add_row(), cells) for cells in rows)]:
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = xml_text(text)
    else:
        document.add_paragraph(xml_text(block))
