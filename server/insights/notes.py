"""Notes on a meeting: summary, chapters, action items and decisions, each line with the sentences that it rests on.

Lines are sentences of the meeting, or a language model's. A model's lines are kept when sentences are corrected; where
they come from follows the corrections. A line is left out while the words of all its sentences are removed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NotRequired, TypedDict, TypeVar

from server.conversation import ENGLISH, Conversation, Sentence, resolve_language
from server.insights.family import Family, MeetingFacts, WrittenChapter, WrittenItem, WrittenLine, WrittenNotes
from server.insights.key_points import central_sentences, summary_sentences
from server.insights.text import Agreement, find_action_items, find_decisions, find_speaker_names
from server.insights.timeline import format_languages
from server.insights.topics import TOPICS
from server.insights.transcript import WordBasedDocument, meeting_transcript

DEFINITION_VERSION = "1"
CHAPTER_SENTENCES = 2
EXTRACTIVE, ABSTRACTIVE, RULES, NONE = "extractive", "abstractive", "rules", "none"


class CitedSentence(TypedDict):
    """A sentence that a line rests on."""

    number: int
    """From 1, as in the transcript."""
    speaker: int
    start_ms: int
    end_ms: int


class NoteLine(TypedDict):
    """A line of the notes."""

    text: str
    sentences: list[CitedSentence]
    """In time order, at least one."""
    outdated: bool
    """Whether a sentence that a model's line rests on was corrected since."""


class ChapterDocument(TypedDict):
    """A stored ``Chapter``."""

    title: str
    start_ms: int
    end_ms: int
    points: list[NoteLine]


class ActionItemDocument(NoteLine):
    """A stored ``ActionItem``."""

    speaker: int | None
    person: str | None
    due: str | None
    owner: int | None
    """Number of a sentence by whoever is to do it; None in lines found by rules."""


class NoteMethods(TypedDict):
    """How each part was made."""

    summary: str
    chapters: str
    action_items: str
    decisions: str


class NotesDocument(WordBasedDocument):
    """Stored answer of ``GET /single-feature-api/meeting/notes``."""

    summary: list[NoteLine]
    chapters: list[ChapterDocument]
    action_items: list[ActionItemDocument]
    decisions: list[NoteLine]
    methods: NoteMethods
    reason: str | None
    """Why action items and decisions of some languages are missing; None if none are."""
    written: NotRequired[WrittenNotes]
    """All that a language model wrote, where some of it is left out: it comes back with the words."""


class _LeftOut(TypedDict, total=False):
    written: WrittenNotes


_Line = TypeVar("_Line", bound=WrittenLine)


def written_notes(document: NotesDocument) -> WrittenNotes:
    """Return what a language model wrote of stored notes."""
    if "written" in document:
        return document["written"]
    found: WrittenNotes = {}
    methods = document["methods"]
    if methods["summary"] == ABSTRACTIVE:
        found["summary"] = [_written_line(line) for line in document["summary"]]
    if methods["chapters"] == ABSTRACTIVE:
        found["chapters"] = [_written_chapter(chapter) for chapter in document["chapters"]]
    if methods["action_items"] == ABSTRACTIVE:
        found["action_items"] = [_written_item(item) for item in document["action_items"]]
    if methods["decisions"] == ABSTRACTIVE:
        found["decisions"] = [_written_line(line) for line in document["decisions"]]
    return found


def _written_line(line: NoteLine) -> WrittenLine:
    return {"text": line["text"], "sentences": [cited["number"] for cited in line["sentences"]]}


def _written_chapter(chapter: ChapterDocument) -> WrittenChapter:
    return {
        "title": chapter["title"],
        "start_ms": chapter["start_ms"],
        "points": [_written_line(point) for point in chapter["points"]],
    }


def _written_item(item: ActionItemDocument) -> WrittenItem:
    return {**_written_line(item), "owner": item["owner"], "person": item["person"], "due": item["due"]}


def notes(meeting: MeetingFacts) -> NotesDocument:
    """Return the notes: of each part what a language model wrote, if it wrote it, else what is extracted."""
    conversation, all_written = meeting.conversation, meeting.notes or {}
    written = _standing_notes(conversation, all_written)
    english, reason = _english_places(conversation)
    rules = RULES if english or not conversation.spoken_sentences else NONE
    methods: NoteMethods = {
        "summary": ABSTRACTIVE if "summary" in written else EXTRACTIVE,
        "chapters": ABSTRACTIVE if "chapters" in written else EXTRACTIVE,
        "action_items": ABSTRACTIVE if "action_items" in written else rules,
        "decisions": ABSTRACTIVE if "decisions" in written else rules,
    }
    left_out: _LeftOut = {} if written == all_written else {"written": all_written}
    by_rules = {methods["action_items"], methods["decisions"]} - {ABSTRACTIVE}
    return {
        "summary": _line_documents(conversation, written["summary"]) if "summary" in written else _summary(meeting),
        "chapters": _written_chapters(conversation, written["chapters"])
        if "chapters" in written
        else _topic_chapters(meeting),
        "action_items": [_written_action_item(conversation, item) for item in written["action_items"]]
        if "action_items" in written
        else _found_action_items(conversation, english),
        "decisions": _line_documents(conversation, written["decisions"])
        if "decisions" in written
        else [_agreed(conversation, found) for found in find_decisions(conversation.sentences, english)],
        "methods": methods,
        "reason": reason if by_rules else None,
        "reliability": meeting_transcript(meeting).reliability,
        **left_out,
    }


def _standing_notes(conversation: Conversation, written: WrittenNotes) -> WrittenNotes:
    """Return what a language model wrote but the lines all of whose sentences have lost their words."""
    standing: WrittenNotes = {**written}
    if "summary" in written:
        standing["summary"] = _standing(conversation, written["summary"])
    if "chapters" in written:
        standing["chapters"] = [
            {**chapter, "points": _standing(conversation, chapter["points"])} for chapter in written["chapters"]
        ]
    if "action_items" in written:
        standing["action_items"] = _standing(conversation, written["action_items"])
    if "decisions" in written:
        standing["decisions"] = _standing(conversation, written["decisions"])
    return standing


def _standing(conversation: Conversation, lines: Sequence[_Line]) -> list[_Line]:
    said = conversation.sentences
    return [line for line in lines if any(said[n - 1].text for n in line["sentences"] if n <= len(said))]


def _english_places(conversation: Conversation) -> tuple[list[int], str | None]:
    """Return the places of the English sentences, and why others are left out; None if none are."""
    english: list[int] = []
    others: Counter[str] = Counter()
    for place, sentence in enumerate(conversation.sentences):
        if not sentence.text:
            continue
        language = resolve_language(sentence.language, conversation.engine)
        if language == ENGLISH:
            english.append(place)
        else:
            others[language] += sentence.duration_us
    if not others:
        return english, None
    subject = "Action items and decisions are found in English only"
    spoken = format_languages(others)
    left_out = f"speech in {spoken} is left out" if english else f"this meeting is in {spoken}"
    return english, f"{subject}; {left_out}."


def _cited(conversation: Conversation, places: Iterable[int]) -> list[CitedSentence]:
    return [
        {
            "number": place + 1,
            "speaker": conversation.sentences[place].speaker,
            "start_ms": conversation.sentences[place].start_us // 1000,
            "end_ms": conversation.sentences[place].end_us // 1000,
        }
        for place in places
    ]


def _quote(conversation: Conversation, places: Sequence[int]) -> NoteLine:
    """Return a line that quotes its first sentence."""
    return {
        "text": conversation.sentences[places[0]].text,
        "sentences": _cited(conversation, places),
        "outdated": False,
    }


def _quotes(conversation: Conversation, chosen: Iterable[Sentence], first: int, after: int) -> list[NoteLine]:
    """Return lines that quote sentences from among those at the places ``first`` to ``after``."""
    # Chosen sentences are those of the conversation themselves; equal ones may have been said twice.
    places = {id(conversation.sentences[place]): place for place in range(first, after)}
    return [_quote(conversation, [places[id(sentence)]]) for sentence in chosen]


def _summary(meeting: MeetingFacts) -> list[NoteLine]:
    conversation = meeting.conversation
    return _quotes(conversation, summary_sentences(meeting), 0, len(conversation.sentences))


def _topic_chapters(meeting: MeetingFacts) -> list[ChapterDocument]:
    """Return the topics as chapters, each with its most central sentences."""
    conversation = meeting.conversation
    starts = [sentence.start_us // 1000 for sentence in conversation.sentences]
    chapters: list[ChapterDocument] = []
    for topic in meeting.document(TOPICS)["topics"]:
        first, after = (bisect_left(starts, topic[edge]) for edge in ("start", "end"))
        chosen = central_sentences(conversation.sentences[first:after], CHAPTER_SENTENCES)
        points = _quotes(conversation, chosen, first, after)
        chapters.append({"title": topic["topic"], "start_ms": topic["start"], "end_ms": topic["end"], "points": points})
    return chapters


def _agreed(conversation: Conversation, found: Agreement) -> NoteLine:
    return _quote(conversation, found.places)


def _found_action_items(conversation: Conversation, english: Sequence[int]) -> list[ActionItemDocument]:
    found = find_action_items(conversation.sentences, conversation.duration_us, english)
    # Names lead to speakers where the meeting says whose they are.
    speakers: dict[str, int] = {}
    if any(item.person for item in found):
        speakers = {named.name: named.speaker for named in find_speaker_names(conversation)}
    return [
        {
            **_agreed(conversation, item),
            "speaker": item.speaker if item.person is None else speakers.get(item.person),
            "person": item.person,
            "due": item.due,
            "owner": None,
        }
        for item in found
    ]


def _line_documents(conversation: Conversation, lines: Iterable[WrittenLine]) -> list[NoteLine]:
    return [_line_document(conversation, line) for line in lines]


def _line_document(conversation: Conversation, line: WrittenLine) -> NoteLine:
    places = [number - 1 for number in line["sentences"] if number <= len(conversation.sentences)]
    return {
        "text": line["text"],
        "sentences": _cited(conversation, places),
        "outdated": any(place in conversation.originals for place in places),
    }


def _written_action_item(conversation: Conversation, item: WrittenItem) -> ActionItemDocument:
    owner = item["owner"]
    speaker = conversation.sentences[owner - 1].speaker if owner and owner <= len(conversation.sentences) else None
    return {
        **_line_document(conversation, item),
        "speaker": speaker or None,
        "person": item["person"],
        "due": item["due"],
        "owner": owner,
    }


def _written_chapters(conversation: Conversation, chapters: Sequence[WrittenChapter]) -> list[ChapterDocument]:
    starts = [chapter["start_ms"] for chapter in chapters]
    return [
        {
            "title": chapter["title"],
            "start_ms": start,
            "end_ms": end,
            "points": _line_documents(conversation, chapter["points"]),
        }
        for chapter, (start, end) in zip(chapters, pairwise([*starts, conversation.duration_us // 1000]), strict=True)
    ]


NOTES = Family("notes", DEFINITION_VERSION, notes)
