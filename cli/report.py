"""The short report on a meeting, for a terminal or file."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from cli.answers import MeetingAnswers
from cli.report_group import emotions, flow, language, notice, over_time, pairs, quality, scores, shares
from cli.report_sound import audio_quality
from cli.report_text import (
    action_items,
    decisions,
    key_points,
    questions,
    reliability,
    summary,
    topics,
    transcript,
)
from server.visible_text import escape_for_terminal


def show(console: Console, name: str, answers: MeetingAnswers) -> None:
    """Print the report: group, content, sound."""
    answers = answers.escaped()
    aliases = {speaker.id: escape_for_terminal(speaker.alias) for speaker in answers.speakers.speakers}
    console.print()
    console.rule(Text(escape_for_terminal(name)))
    if not aliases and not answers.quality.notice:
        console.print(Text("This recording contains no speech."))
    sections = (
        notice(answers),
        language(answers),
        quality(answers),
        shares(answers, aliases),
        scores(answers),
        emotions(answers),
        pairs(answers, aliases),
        flow(answers),
        over_time(answers),
        reliability(answers),
        summary(answers),
        action_items(answers, aliases),
        decisions(answers),
        topics(answers, aliases),
        key_points(answers, aliases),
        questions(answers, aliases),
        audio_quality(answers),
        transcript(answers, aliases),
    )
    for section in sections:
        if section is not None:
            console.print(section)
    if not answers.transcript.details.engine.overlap:
        console.print(
            Text("Overlap and interruptions: this engine cannot measure them (one speaker at a time).", "dim")
        )
