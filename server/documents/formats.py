"""The formats in which a meeting can be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from server.documents.annotations import to_ctm, to_rttm, to_stm
from server.documents.meeting import DocumentedMeeting
from server.documents.subtitles import to_srt, to_vtt
from server.documents.tables import to_scores_csv, to_turns_csv, to_words_csv
from server.documents.texts import to_markdown, to_txt
from server.documents.tiers import to_eaf, to_textgrid
from server.documents.typesetting import to_pdf
from server.documents.word_document import to_docx


@dataclass(frozen=True, slots=True)
class DocumentFormat:
    """A format, named by the end of its files' names."""

    suffix: str
    media_type: str
    write: Callable[[DocumentedMeeting], str | bytes | Awaitable[bytes]]

    async def render(self, meeting: DocumentedMeeting) -> bytes:
        """Return the document, texts in UTF-8. A long meeting takes seconds, in which the event loop serves others.

        Raises DocumentNotMade for a PDF that cannot be laid out.
        """
        document = await asyncio.to_thread(self.write, meeting)
        if isinstance(document, str):
            return document.encode()
        return document if isinstance(document, bytes) else await document


FORMATS = {
    form.suffix: form
    for form in (
        DocumentFormat("srt", "application/x-subrip; charset=utf-8", to_srt),
        DocumentFormat("vtt", "text/vtt; charset=utf-8", to_vtt),
        DocumentFormat("txt", "text/plain; charset=utf-8", to_txt),
        DocumentFormat("md", "text/markdown; charset=utf-8", to_markdown),
        DocumentFormat("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", to_docx),
        DocumentFormat("pdf", "application/pdf", to_pdf),
        DocumentFormat("turns.csv", "text/csv; charset=utf-8", to_turns_csv),
        DocumentFormat("words.csv", "text/csv; charset=utf-8", to_words_csv),
        DocumentFormat("scores.csv", "text/csv; charset=utf-8", to_scores_csv),
        DocumentFormat("rttm", "text/plain; charset=utf-8", to_rttm),
        DocumentFormat("ctm", "text/plain; charset=utf-8", to_ctm),
        DocumentFormat("stm", "text/plain; charset=utf-8", to_stm),
        DocumentFormat("textgrid", "text/plain; charset=utf-8", to_textgrid),
        DocumentFormat("eaf", "application/xml", to_eaf),
    )
}
