"""Tables: comma-separated values (RFC 4180) in UTF-8, with a byte order mark, without which Excel misreads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from server.documents.meeting import DocumentedMeeting

BYTE_ORDER_MARK = "\ufeff"
# A cell that begins so is a formula in spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

Cell = str | int | float | None


def to_turns_csv(meeting: DocumentedMeeting) -> str:
    """Return the statements."""
    rows = (
        (one.start_ms, one.end_ms, meeting.name_of(one.speaker), one.text, int(one.corrected))
        for one in meeting.statements
    )
    return _table(("start_ms", "end_ms", "speaker", "text", "corrected"), rows)


def to_words_csv(meeting: DocumentedMeeting) -> str:
    """Return the words."""
    rows = (
        (word.start_ms, word.end_ms, meeting.name_of(word.speaker), word.text, word.confidence)
        for word in meeting.words
    )
    return _table(("start_ms", "end_ms", "speaker", "word", "confidence"), rows)


def to_scores_csv(meeting: DocumentedMeeting) -> str:
    """Return the figures of the meeting and of each speaker; what could not be measured is left out."""
    return _table(("measure", "speaker", "value"), (row for row in _scores(meeting) if row[2] is not None))


def _scores(meeting: DocumentedMeeting) -> Iterator[tuple[str, str, Cell]]:
    quality, flow = meeting.quality, meeting.quality["flow"]
    yield "quality_score", "", quality["quality_score"] if quality["support"]["sufficient"] else None
    for driver in quality["drivers"]:
        yield driver["name"], "", driver["score"]
    yield "silence_ms", "", flow["silence_ms"]
    yield "longest_silence_ms", "", flow["longest_silence_ms"]
    yield "overlap_ratio", "", flow["overlap_ratio"]
    yield "turns_per_minute", "", flow["turns_per_minute"]
    yield "response_latency_ms", "", flow["response_latency_ms"]
    for share in quality["shares"]["speakers"]:
        yield "speaking_ms", meeting.name_of(share["label"]), share["speaking_ms"]
        yield "speaking_percentage", meeting.name_of(share["label"]), share["percentage"]
    for person in flow["speakers"]:
        name = meeting.name_of(person["speaker"])
        yield "turns", name, person["turns"]
        yield "longest_monologue_ms", name, person["longest_monologue_ms"]
        yield "words_per_minute", name, person["words_per_minute"]
        yield "talk_listen_ratio", name, person["talk_listen_ratio"]
        yield "patience_ms", name, person["patience_ms"]


def _table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    """Return a cell of which no spreadsheet makes a formula: an apostrophe before it makes it a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
