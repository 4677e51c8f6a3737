"""The contents of a readable document of a meeting, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from server.documents.meeting import CorrectedSentence, DocumentedMeeting, Stretch
from server.insights import ActionItemDocument, ChapterDocument, NoteLine

MARK = "corrected"
OUTDATED = "written before a correction"
CORRECTED = f"Some sentences were corrected by hand: see ({MARK}) in the transcript, and Corrections."
REMOVED = "[words removed]"
UNRELIABLE = "The recogniser was unsure of many words: take the text as a hint, not as a record."


@dataclass(frozen=True, slots=True)
class Points:
    """Short texts, one a line."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first row is its head."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, and when it began."""

    clock: str
    name: str
    text: str


Block = str | Points | Table | Said
"""A paragraph, or one of the others."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document under its heading."""

    heading: str
    blocks: tuple[Block, ...]


def clock(milliseconds: int) -> str:
    """Format milliseconds as ``H:MM:SS``, rounding down."""
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def subtitle(meeting: DocumentedMeeting) -> str:
    """Return when the meeting took place, and how long."""
    return " · ".join(part for part in (meeting.held_on, clock(meeting.duration_ms)) if part)


def sections(meeting: DocumentedMeeting) -> Iterator[Section]:
    """Yield the parts of the document that have something to say, the transcript with its corrections last."""
    found: list[tuple[str, Sequence[Block]]] = [
        ("Remarks", remarks(meeting)),
        ("People", _people(meeting)),
        ("Summary", [" ".join(meeting.quality["summaries"]["meeting"])]),
        ("Action items", _action_items(meeting)),
        ("Decisions", _decisions(meeting)),
        ("Chapters", _chapters(meeting)),
        ("Key points", _by_person(meeting, meeting.quality["key_points"]["speakers"])),
        ("Questions", _questions(meeting)),
        ("Topics", _topics(meeting)),
        ("Scores", _scores(meeting)),
        ("Transcript", [_said(meeting, statement) for statement in meeting.statements]),
        ("Corrections", _corrections(meeting)),
    ]
    for heading, blocks in found:
        if any(blocks):
            yield Section(heading, tuple(block for block in blocks if block))


def remarks(meeting: DocumentedMeeting) -> list[str]:
    """Return what a reader must know before the rest."""
    found = [meeting.notice] if meeting.notice else []
    if meeting.words and not meeting.reliable:
        found.append(UNRELIABLE)
    if meeting.corrections:
        found.append(CORRECTED)
    if reason := meeting.quality.get("notes", {}).get("reason"):
        found.append(reason)
    return found


def _people(meeting: DocumentedMeeting) -> list[Block]:
    rows = [
        (meeting.name_of(share["label"]), clock(share["speaking_ms"]), f"{share['percentage']:.0f} %")
        for share in meeting.quality["shares"]["speakers"]
    ]
    return [Table((("Name", "Speaking time", "Share"), *rows))] if rows else []


def _action_items(meeting: DocumentedMeeting) -> list[Block]:
    notes = meeting.quality.get("notes")
    if not notes:
        return []
    items = notes["action_items"]
    rows = [(cited_clocks(item), named_owner(meeting, item), _line_text(item), item["due"] or "") for item in items]
    return [Table((("Said at", "Who", "What", "By when"), *rows))] if rows else []


def _decisions(meeting: DocumentedMeeting) -> list[Block]:
    notes = meeting.quality.get("notes")
    rows = [(cited_clocks(line), _line_text(line)) for line in notes["decisions"]] if notes else []
    return [Table((("Said at", "Decision"), *rows))] if rows else []


def _chapters(meeting: DocumentedMeeting) -> list[Block]:
    rows = [
        (clock(chapter["start_ms"]), clock(chapter["end_ms"]), chapter["title"], _points_text(chapter["points"]))
        for chapter in telling_chapters(meeting)
    ]
    return [Table((("From", "To", "Chapter", "In short"), *rows))] if rows else []


def telling_chapters(meeting: DocumentedMeeting) -> list[ChapterDocument]:
    """Return the chapters where they say more than the topics do."""
    notes = meeting.quality.get("notes")
    chapters = notes["chapters"] if notes else []
    return chapters if any(chapter["points"] for chapter in chapters) else []


def named_owner(meeting: DocumentedMeeting, item: ActionItemDocument) -> str:
    """Return who is to do something; empty where that is not clear."""
    return item["person"] or "" if item["speaker"] is None else meeting.name_of(item["speaker"])


def _points_text(points: Sequence[NoteLine]) -> str:
    return " ".join(f"{_line_text(point)} ({cited_clocks(point)})" for point in points)


def _line_text(line: NoteLine) -> str:
    text = " ".join(line["text"].split())
    return f"{text} ({OUTDATED})" if line["outdated"] else text


def cited_clocks(line: NoteLine) -> str:
    """Return when the sentences begin that a line rests on."""
    return ", ".join(dict.fromkeys(clock(sentence["start_ms"]) for sentence in line["sentences"]))


def _by_person(meeting: DocumentedMeeting, texts: Sequence[Sequence[Any]]) -> list[Block]:
    return [
        Points(tuple(f"{meeting.name_of(speaker)}: {text}" for text in sentences))
        for speaker, sentences in texts
        if sentences
    ]


def _questions(meeting: DocumentedMeeting) -> list[Block]:
    asked = meeting.quality["questions"]["questions"]
    return [Said(clock(one["start_ms"]), meeting.name_of(one["speaker"]), one["question"]) for one in asked]


def _topics(meeting: DocumentedMeeting) -> list[Block]:
    rows = [
        (clock(topic["start"]), clock(topic["end"]), topic["topic"], ", ".join(topic["keywords"]))
        for topic in meeting.quality["topics"]["topics"]
    ]
    return [Table((("From", "To", "Topic", "Keywords"), *rows))] if rows else []


def _scores(meeting: DocumentedMeeting) -> list[Block]:
    quality = meeting.quality
    if not quality["support"]["sufficient"]:
        return [quality["support"]["note"] or ""]
    rows = [("Quality", f"{quality['quality_score']:.0f}", "")]
    rows += [
        (driver["name"].capitalize(), f"{driver['score']:.0f}", driver["effect"])
        for driver in quality["drivers"]
        if "." not in driver["name"]
    ]
    return [Table((("Score", "0 to 100", "Effect on quality"), *rows)), quality["note"]]


def _said(meeting: DocumentedMeeting, statement: Stretch) -> Said:
    name = meeting.name_of(statement.speaker)
    return Said(clock(statement.start_ms), f"{name} ({MARK})" if statement.corrected else name, statement.text)


def _corrections(meeting: DocumentedMeeting) -> list[Block]:
    texts = tuple(corrected_text(meeting, one) for one in meeting.corrections)
    return [Points(texts)] if texts else []


def corrected_text(meeting: DocumentedMeeting, one: CorrectedSentence) -> str:
    """Return what a sentence was before, and what it is; of one whose words were removed, that they were."""
    before = one.text if one.original_text is None else one.original_text
    now = "" if one.original_text is None else f" Now: {one.text}"
    if not one.text:
        # Whoever removed them wants them in no document.
        before, now = REMOVED, ""
    if one.original_speaker is None:
        return f"{clock(one.start_ms)} {meeting.name_of(one.speaker)}: {before}{now}"
    whose = f"{meeting.name_of(one.original_speaker)}, now {meeting.name_of(one.speaker)}"
    return f"{clock(one.start_ms)} {whose}: {before}{now}"
