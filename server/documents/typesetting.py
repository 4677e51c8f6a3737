"""Meetings as PDF reports, laid out in a child process."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from server import sandbox
from server.children import PART
from server.documents.meeting import DocumentedMeeting
from server.documents.report import report
from server.errors import DocumentNotMade

CHILD = "server.children.typeset"
SOURCE = Path(__file__).with_name("report.typ")
# The child's processor time is bounded as well; on a machine without a free core it takes longer.
PATIENCE_S = 240.0
# 10,000 sentences are 5 MB.
MAX_PDF_BYTES = 128 * 1024**2
READ_BYTES = 256 * 1024
log = logging.getLogger(__name__)


async def to_pdf(meeting: DocumentedMeeting) -> bytes:
    """Return a PDF file with charts and the transcript, tagged for readers of screens. Call it on the event loop.

    Raises DocumentNotMade where the typesetter fails, or exceeds its limits.
    """
    document = await asyncio.to_thread(lambda: json.dumps(report(meeting), ensure_ascii=False).encode())
    source = await asyncio.to_thread(SOURCE.read_bytes)
    child = await sandbox.start(CHILD, with_stdin=True)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for part in (source, document):
                child.write(PART.pack(len(part)) + part)
            pdf = bytearray()
            while len(pdf) <= MAX_PDF_BYTES and (piece := await child.stdout.read(READ_BYTES)):
                pdf += piece
        code = await child.end()
    except TimeoutError:
        code = None
    finally:
        await child.end()
    if code != 0 or len(pdf) > MAX_PDF_BYTES:
        log.warning("meeting %s could not be laid out as PDF (exit code %s)", meeting.file_hash[:12], code)
        raise DocumentNotMade("pdf")
    return bytes(pdf)
