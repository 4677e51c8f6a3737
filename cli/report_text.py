"""The report's text part: summary, action items, decisions, topics, key points, questions, transcript.

Each function renders one section, or returns None if there is nothing to show.
"""

from __future__ import annotations

from meetra.v1 import insights_pb2 as pb
from rich.console import Group
from rich.text import Text

from cli.answers import MeetingAnswers
from cli.report_group import clock, heading
from server.visible_text import escape_for_terminal

MEETING_SUMMARY = "Meeting summary"
POINTS_SHOWN = 2
QUESTIONS_SHOWN = 6
NOTES_SHOWN = 12
TOPICS_SHOWN = 12
KEYWORDS_SHOWN = 3
FIRST_LINES = 12


def reliability(answers: MeetingAnswers) -> Text | None:
    """Render the reliability of everything derived from words."""
    details = answers.transcript.details
    if not details.HasField("mean_word_confidence"):
        return None
    confidence = f"Mean word confidence {details.mean_word_confidence:.2f}"
    if details.reliable:
        return Text(f"{confidence}: the words below are reliable enough to read.", "dim")
    return Text(f"{confidence}, under {details.threshold:g}: UNRELIABLE. {details.advice}", "bold")


def summary(answers: MeetingAnswers) -> Group | None:
    """Render the summary of the meeting."""
    sentences = [str(sentence) for sentence in answers.summaries.text_summary[MEETING_SUMMARY]]
    if not sentences:
        return None
    method = "" if answers.summaries.details.method == "abstractive" else " (extractive)"
    return Group(heading(f"Summary{method}"), *(Text(f"  - {sentence}") for sentence in sentences))


def action_items(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render what somebody is to do and by when, with when it was said, and why some are missing."""
    notes = answers.quality.context.notes
    if not notes.action_items and not notes.reason:
        return None
    lines = [heading(f"Action items{_method(notes.methods.action_items)}")]
    lines += [Text(f"  {notes.reason}", "dim")] if notes.reason else []
    for item in notes.action_items[:NOTES_SHOWN]:
        who = aliases.get(item.speaker, "") or item.person
        due = f" ({item.due})" if item.due and item.due not in item.text else ""
        lines.append(Text(f"  {_cited(item)}  {f'{who}: ' if who else ''}{item.text}{due}"))
    return Group(*lines, *_more(len(notes.action_items), "action items"))


def decisions(answers: MeetingAnswers) -> Group | None:
    """Render what was decided, with when it was said."""
    notes = answers.quality.context.notes
    if not notes.decisions:
        return None
    lines = [Text(f"  {_cited(line)}  {line.text}") for line in notes.decisions[:NOTES_SHOWN]]
    head = heading(f"Decisions{_method(notes.methods.decisions)}")
    return Group(head, *lines, *_more(len(notes.decisions), "decisions"))


def _method(method: str) -> str:
    return " (by rules of English)" if method == "rules" else ""


def _cited(line: pb.NoteLine | pb.ActionItem) -> str:
    """Return when the first of the sentences begins that a line rests on."""
    return clock(line.sentences[0].start_ms)


def _more(count: int, what: str) -> list[Text]:
    return [Text(f"  ... and {count - NOTES_SHOWN} more {what}", "dim")] if count > NOTES_SHOWN else []


def topics(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render the topics with time, keywords, energy, sentiment, emotions and speakers."""
    pairs = list(zip(answers.topics.topics, answers.quality.topic_deep_dive, strict=True))
    if not aliases:
        return None
    lines = [heading("Topics")]
    for topic, detail in pairs[:TOPICS_SHOWN]:
        keywords = [word for word in topic.keywords if word.lower() != topic.topic.lower()][:KEYWORDS_SHOWN]
        line = Text(f"  {clock(topic.start)} - {clock(topic.end)}  ")
        line.append(topic.topic, "bold")
        line.append(f" ({', '.join(keywords)})" if keywords else "")
        emotions = ", ".join(name.replace("_", " ") for name in detail.energy.emotions)
        who = ", ".join(escape_for_terminal(speaker.alias) for speaker in detail.speakers)
        parts = [f"energy {detail.energy.energy_score}", detail.sentiment, emotions, who]
        line.append(f": {'; '.join(part for part in parts if part)}", "dim")
        lines.append(line)
    if len(pairs) > TOPICS_SHOWN:
        lines.append(Text(f"  ... and {len(pairs) - TOPICS_SHOWN} more topics", "dim"))
    return Group(*lines)


def key_points(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render a few key points per speaker."""
    found = {id_: [str(point) for point in answers.key_points.key_points[id_]][:POINTS_SHOWN] for id_ in aliases}
    lines = [Text(f"  {aliases[id_]}: {point}") for id_, points in found.items() for point in points]
    return Group(heading("Key points"), *lines) if lines else None


def questions(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render the first questions, and why some are missing."""
    asked, reason = answers.questions.questions, answers.questions.reason
    if not asked and not reason:
        return None
    lines = [heading("Questions"), *([Text(f"  {reason}", "dim")] if reason else [])]
    lines += [
        Text(f"  {question.start_timestamp}  {aliases.get(question.speaker, 'Unknown')}: {question.question}")
        for question in asked[:QUESTIONS_SHOWN]
    ]
    if len(asked) > QUESTIONS_SHOWN:
        lines.append(Text(f"  ... and {len(asked) - QUESTIONS_SHOWN} more questions", "dim"))
    return Group(*lines)


def transcript(answers: MeetingAnswers, aliases: dict[str, str]) -> Group:
    """Render the first statements."""
    entries = answers.transcript.transcription
    lines = [heading("Transcript")]
    lines += [
        Text(f"  {entry.start_timestamp}  {aliases.get(entry.speaker, 'Unknown')}: {entry.transcription}")
        for entry in entries[:FIRST_LINES]
    ]
    if len(entries) > FIRST_LINES:
        lines.append(Text(f"  ... and {len(entries) - FIRST_LINES} more entries", "dim"))
    if not entries:
        lines.append(Text("  No words were recognised."))
    return Group(*lines)
