"""What the PDF report of a meeting shows, as values of JSON: ``report.typ`` lays it out.

Texts are data and never markup. Times on charts are shares of the meeting, 0..1; speakers are places in ``people``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from server.conversation import UNKNOWN_SPEAKER
from server.documents.meeting import DocumentedMeeting, Stretch, xml_text
from server.documents.outline import cited_clocks, clock, corrected_text, named_owner, remarks, telling_chapters
from server.documents.report_charts import lanes, over_time, ticks
from server.insights import ActionItemDocument, NoteLine
from server.metrics import METRICS, KnownError

# A longer text is cut where it only names something; what was said never is.
MAX_NAME = 200
# A line ends inside of a word only where it must: after so many letters without a space. Chinese, Japanese and Korean
# end lines anywhere.
_UNBROKEN = re.compile(r"[^\s\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]{100}(?=\S)")
# Scores of the report, each with the field that it is in the catalogue of metrics.
SCORES = {
    "balance": "balance_score",
    "interaction": "meeting_interaction_score",
    "energy": "meeting_energy",
    "sentiment": "sentiment_score",
}
# What the last table explains, in the order of the report.
EXPLAINED = (
    "quality_score",
    *SCORES.values(),
    "meeting_speaking_percentage",
    "sentiment",
    "energy_score",
    "interactions_score",
    "balance_over_time",
    "questions",
    "topics",
    "key_points",
    "text_summary",
    "action_items",
    "decisions",
)
Document = dict[str, Any]


def report(meeting: DocumentedMeeting) -> Document:
    """Return everything that the report shows; what there is none of is empty."""
    quality = meeting.quality
    people = _people(meeting)
    places = {speaker: place for place, speaker in enumerate(people)}

    def place(speaker: int) -> int:
        return places.get(speaker, places.get(UNKNOWN_SPEAKER, -1))

    def owned(item: ActionItemDocument) -> Document:
        who = _said_text(named_owner(meeting, item))
        speaker = None if item["speaker"] is None else places.get(item["speaker"])
        return {**_note(item), "speaker": speaker, "who": who, "due": _said_text(item["due"] or "")}

    notes = meeting.quality.get("notes")
    return {
        "title": _line(meeting.name) or "Meeting",
        "language": meeting.language,
        "facts": [
            text
            for text in (meeting.held_on, clock(meeting.duration_ms), _count(len(quality["shares"]["speakers"])))
            if text
        ],
        "remarks": [_text(one) for one in remarks(meeting)],
        "people": [
            {"name": _line(meeting.name_of(speaker)), "clock": clock(spoken), "share": share}
            for speaker, (spoken, share) in people.items()
        ],
        "lanes": lanes(meeting.speech, list(people), meeting.duration_ms),
        "ticks": ticks(meeting.duration_ms),
        "scores": _scores(meeting),
        "summary": _said_text(" ".join(quality["summaries"]["meeting"])),
        "action_items": [owned(item) for item in notes["action_items"]] if notes else [],
        "decisions": [_note(line) for line in notes["decisions"]] if notes else [],
        "chapters": [
            {
                "from": clock(chapter["start_ms"]),
                "to": clock(chapter["end_ms"]),
                "title": _said_text(chapter["title"]),
                "points": [_note(point) for point in chapter["points"]],
            }
            for chapter in telling_chapters(meeting)
        ],
        "charts": over_time(quality, meeting.duration_ms) if people else [],
        "topics": [
            {
                "from": clock(topic["start"]),
                "to": clock(topic["end"]),
                "span": _shares(topic["start"], topic["end"], meeting.duration_ms),
                "topic": _said_text(topic["topic"]),
                "keywords": _said_text(", ".join(topic["keywords"])),
            }
            for topic in quality["topics"]["topics"]
        ],
        "key_points": [
            {"speaker": place(speaker), "texts": [_said_text(one) for one in texts]}
            for speaker, texts in quality["key_points"]["speakers"]
            if texts
        ],
        "questions": [
            [clock(one["start_ms"]), place(one["speaker"]), _said_text(one["question"])]
            for one in quality["questions"]["questions"]
        ],
        "transcript": [_said(statement, place(statement.speaker)) for statement in meeting.statements],
        "corrections": [_said_text(corrected_text(meeting, one)) for one in meeting.corrections],
        "measures": _measures(),
    }


def _people(meeting: DocumentedMeeting) -> dict[int, tuple[int, float | None]]:
    """Return who spoke, who speaks most first, with the time in milliseconds and the share in percent.

    The unknown speaker, who has no share, is last; so are those who are named only by a statement.
    """
    shares = {one["label"]: one for one in meeting.quality["shares"]["speakers"]}
    known = sorted(shares, key=lambda speaker: -shares[speaker]["speaking_ms"])
    found: dict[int, tuple[int, float | None]] = {
        speaker: (shares[speaker]["speaking_ms"], shares[speaker]["percentage"]) for speaker in known
    }
    for one in (*meeting.speech, *meeting.statements):
        if one.speaker not in shares:
            spoken, _ = found.get(one.speaker, (0, None))
            found[one.speaker] = (spoken + (0 if one.text else one.duration_ms), None)
    return found


def _count(people: int) -> str:
    return f"{people} people" if people > 1 else ""


def _said(statement: Stretch, place: int) -> list[Any]:
    return [clock(statement.start_ms), place, _said_text(statement.text), statement.corrected]


def _note(line: NoteLine) -> Document:
    """Return a line of the notes, with the times of the sentences that it rests on."""
    text = _said_text(" ".join(line["text"].split()))
    return {"clocks": cited_clocks(line), "text": text, "outdated": line["outdated"]}


def _scores(meeting: DocumentedMeeting) -> Document:
    quality = meeting.quality
    enough = quality["support"]["sufficient"]
    titles = {metric.name: metric.title for metric in METRICS}
    return {
        "quality": round(quality["quality_score"]) if enough else None,
        "drivers": [
            {"title": titles[SCORES[one["name"]]], "score": round(one["score"]), "effect": one["effect"]}
            for one in quality["drivers"]
            if one["name"] in SCORES
        ]
        if enough
        else [],
        "note": _text(quality["note"] if enough else quality["support"]["note"] or quality["support"]["reason"]),
    }


def _measures() -> list[Document]:
    """Return how each number of the report is computed, and how wrong it is known to be."""
    by_name = {metric.name: metric for metric in METRICS}
    return [
        {
            "title": metric.title,
            "definition": metric.definition.replace("`", ""),
            "version": metric.version,
            "errors": "; ".join(map(_error, metric.errors)) or "not measured by itself",
            "source": metric.source,
        }
        for metric in map(by_name.__getitem__, EXPLAINED)
    ]


def _error(error: KnownError) -> str:
    value = f"{error.value:g} {error.unit}".strip()
    return f"{error.measure} {value} ({error.data})"


def _shares(start_ms: int, end_ms: int, duration_ms: int) -> list[float]:
    return [round(min(1.0, one / max(1, duration_ms)), 5) for one in (start_ms, end_ms)]


def _line(text: str) -> str:
    """Return a name for the page."""
    shown = " ".join(text.split())
    return _text(shown if len(shown) <= MAX_NAME else f"{shown[: MAX_NAME - 1]}…")


def _text(text: str) -> str:
    """Return a text that can be set in lines: what cannot be printed is left out."""
    return _UNBROKEN.sub("\\g<0>\u200b", xml_text(text).replace("\ufeff", ""))


def _said_text(text: str) -> Document:
    """Return a text with the side from which its first letter that has one is read."""
    shown = _text(text)
    sides = (unicodedata.bidirectional(letter) for letter in shown)
    return {"text": shown, "rtl": next((side != "L" for side in sides if side in ("L", "R", "AL")), False)}
