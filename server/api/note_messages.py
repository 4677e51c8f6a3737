"""Conversion of stored notes to messages; speaker numbers become UUIDs."""

from __future__ import annotations

from collections.abc import Iterable

from meetra.v1 import insights_pb2 as pb

from server.api.answers import AnyAnswer
from server.insights import ActionItemDocument, ChapterDocument, CitedSentence, NoteLine, NotesDocument


def notes(found: AnyAnswer, document: NotesDocument) -> pb.MeetingNotes:
    """Convert the notes on a meeting."""
    return pb.MeetingNotes(
        summary=_lines(found, document["summary"]),
        chapters=[_chapter(found, chapter) for chapter in document["chapters"]],
        action_items=[_action_item(found, item) for item in document["action_items"]],
        decisions=_lines(found, document["decisions"]),
        methods=pb.NoteMethods(**document["methods"]),
        reason=document["reason"],
    )


def _lines(found: AnyAnswer, lines: Iterable[NoteLine]) -> list[pb.NoteLine]:
    return [
        pb.NoteLine(text=line["text"], sentences=_cited(found, line["sentences"]), outdated=line["outdated"])
        for line in lines
    ]


def _cited(found: AnyAnswer, sentences: Iterable[CitedSentence]) -> list[pb.CitedSentence]:
    return [
        pb.CitedSentence(
            number=sentence["number"],
            speaker=found.speaker_id(sentence["speaker"]),
            start_ms=sentence["start_ms"],
            end_ms=sentence["end_ms"],
        )
        for sentence in sentences
    ]


def _chapter(found: AnyAnswer, chapter: ChapterDocument) -> pb.Chapter:
    return pb.Chapter(
        title=chapter["title"],
        start_ms=chapter["start_ms"],
        end_ms=chapter["end_ms"],
        points=_lines(found, chapter["points"]),
    )


def _action_item(found: AnyAnswer, item: ActionItemDocument) -> pb.ActionItem:
    speaker = item["speaker"]
    return pb.ActionItem(
        text=item["text"],
        sentences=_cited(found, item["sentences"]),
        outdated=item["outdated"],
        # Empty for who is no speaker of the meeting.
        speaker=(found.speaker_id(speaker) or None) if speaker is not None else None,
        person=item["person"],
        due=item["due"],
    )
