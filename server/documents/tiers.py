"""Annotation tiers: for each speaker one of statements and one of words, for Praat and ELAN."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from server.documents.meeting import DocumentedMeeting, Stretch, seconds, unused_name, xml_text

EAF_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True)
class Tier:
    """Annotations in the order of time that do not overlap; its names are text that XML allows."""

    name: str
    speaker: str
    annotations: tuple[Stretch, ...]


def find_tiers(meeting: DocumentedMeeting) -> Iterator[Tier]:
    """Yield two tiers for each speaker who said something: ``NAME`` and ``NAME words``, no two of the same name."""
    words = meeting.by_speaker(meeting.words)
    named = set[str]()
    for speaker, statements in meeting.by_speaker(meeting.statements).items():
        name = xml_text(meeting.name_of(speaker))
        for kind, parts in ((name, statements), (f"{name} words", words.get(speaker, ()))):
            named.add(unused := unused_name(kind, speaker, named))
            yield Tier(unused, name, tuple(_one_after_another(parts)))


def _one_after_another(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    through_ms = 0
    for part in stretches:
        start_ms = max(part.start_ms, through_ms)
        through_ms = max(part.end_ms, start_ms + 1)
        yield Stretch(start_ms, through_ms, part.speaker, part.text)


def to_textgrid(meeting: DocumentedMeeting) -> str:
    """Return a TextGrid for Praat, in its long form."""
    tiers = list(find_tiers(meeting))
    end_ms = _end_ms(meeting, tiers)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {seconds(end_ms)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, tier in enumerate(tiers, 1):
        intervals = list(_gapless(tier.annotations, end_ms))
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f"        name = {_quoted(tier.name)}",
            "        xmin = 0",
            f"        xmax = {seconds(end_ms)}",
            f"        intervals: size = {len(intervals)}",
        ]
        for index, (start, end, text) in enumerate(intervals, 1):
            lines += [
                f"        intervals [{index}]:",
                f"            xmin = {seconds(start)}",
                f"            xmax = {seconds(end)}",
                f"            text = {_quoted(text)}",
            ]
    return "\n".join(lines) + "\n"


def _end_ms(meeting: DocumentedMeeting, tiers: Iterable[Tier]) -> int:
    return max([1, meeting.duration_ms, *(part.end_ms for tier in tiers for part in tier.annotations)])


def _gapless(annotations: Iterable[Stretch], end_ms: int) -> Iterator[tuple[int, int, str]]:
    through_ms = 0
    for part in annotations:
        if part.start_ms > through_ms:
            yield through_ms, part.start_ms, ""
        yield part.start_ms, part.end_ms, part.text
        through_ms = part.end_ms
    if through_ms < end_ms:
        yield through_ms, end_ms, ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def to_eaf(meeting: DocumentedMeeting) -> bytes:
    """Return an annotation document for ELAN (EAF 3.0). Media are linked in ELAN itself."""
    root = Xml.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "",
            "DATE": "1970-01-01T00:00:00+00:00",
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _SCHEMA_INSTANCE,
            "xsi:noNamespaceSchemaLocation": EAF_SCHEMA,
        },
    )
    Xml.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    tiers = list(find_tiers(meeting))
    moments = sorted({moment for tier in tiers for part in tier.annotations for moment in (part.start_ms, part.end_ms)})
    order = Xml.SubElement(root, "TIME_ORDER")
    slots = {moment: f"ts{number}" for number, moment in enumerate(moments, 1)}
    for moment, slot in slots.items():
        Xml.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(moment)})
    number = 0
    for tier in tiers:
        named = {"LINGUISTIC_TYPE_REF": "speech", "PARTICIPANT": tier.speaker, "TIER_ID": tier.name}
        element = Xml.SubElement(root, "TIER", named)
        for part in tier.annotations:
            number += 1
            about = {
                "ANNOTATION_ID": f"a{number}",
                "TIME_SLOT_REF1": slots[part.start_ms],
                "TIME_SLOT_REF2": slots[part.end_ms],
            }
            annotation = Xml.SubElement(Xml.SubElement(element, "ANNOTATION"), "ALIGNABLE_ANNOTATION", about)
            Xml.SubElement(annotation, "ANNOTATION_VALUE").text = xml_text(part.text)
    Xml.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "speech", "TIME_ALIGNABLE": "true"},
    )
    out = io.BytesIO()
    Xml.ElementTree(root).write(out, encoding="UTF-8", xml_declaration=True)
    return out.getvalue()
