"""The report's group part: shares, scores with drivers, emotions, pairs, changes over time.

Each function renders one section, or returns None if there is nothing to show.
"""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict
from rich.console import Group
from rich.table import Table
from rich.text import Text

from cli.answers import MeetingAnswers
from server.conversation import language_display_name

BAR_CELLS = 24
MAX_PAIRS = 6
MAX_PERIODS = 12


def heading(title: str) -> Text:
    """Return the heading of a section."""
    return Text(title, "italic")


def columns() -> Table:
    """Return a table without borders or header."""
    return Table(box=None, show_header=False, padding=(0, 2, 0, 0))


def clock(milliseconds: int) -> str:
    """Format milliseconds from the start of the meeting as ``HH:MM:SS``."""
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def notice(answers: MeetingAnswers) -> Text | None:
    """Render what a reader must know first."""
    return Text(answers.quality.notice, "bold") if answers.quality.notice else None


def language(answers: MeetingAnswers) -> Text | None:
    """Render the most spoken language."""
    found = answers.quality
    if not found.HasField("language"):
        return None
    sure = f", confidence {found.language_confidence:.2f}" if found.HasField("language_confidence") else ""
    return Text(f"Language: {language_display_name(found.language)}{sure}", "dim")


def quality(answers: MeetingAnswers) -> Text | None:
    """Render the quality score and the drivers that raise or lower it."""
    found = answers.quality
    if not found.support.sufficient:
        return Text(f"Meeting quality: not available; {found.support.reason}.") if answers.speakers.speakers else None
    line = Text(f"Meeting quality {found.quality_score:.1f} of 100", "bold")
    for effect, words in (("raises", "raised by"), ("lowers", "lowered by"), ("neutral", "neutral:")):
        # Components are shown only for lowered scores, where something can be improved.
        shown = [d for d in found.drivers if d.effect == effect and ("." not in d.name or effect == "lowers")]
        named = [f"{d.name.replace('.', ': ').replace('_', ' ')} {d.score:.0f}" for d in shown]
        if named:
            line.append(f"; {words} {', '.join(named)}", "not bold")
    return line


def shares(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render the speakers' shares of the speaking time as bars."""
    if not aliases:
        return None
    table = columns()
    for share in answers.shares.speakers:
        bar = "█" * round(share.meeting_speaking_percentage / 100 * BAR_CELLS)
        seconds = f"{share.speaking_ms / 1000:.0f} s"
        table.add_row(
            Text(aliases[share.id]), bar.ljust(BAR_CELLS, "·"), f"{share.meeting_speaking_percentage:.1f} %", seconds
        )
    return Group(heading("Speaking time"), table)


def scores(answers: MeetingAnswers) -> Group:
    """Render balance, interaction, energy and, if known, sentiment, with their components."""
    table = columns()
    for title, score, details in (
        ("Balance", answers.balance.balance_score, answers.balance.details),
        ("Interaction", answers.interaction.meeting_interaction_score, answers.interaction.details),
        ("Energy", answers.energy.meeting_energy, answers.energy.details),
    ):
        parts = ", ".join(f"{c.name.replace('_', ' ')} {c.value:.2f}" for c in details.components)
        table.add_row(title, f"{score:.1f}", parts if details.support.sufficient else details.support.reason)
    sentiment = answers.sentiment
    if sentiment.HasField("sentiment_score"):
        remarks = [sentiment.details.label, sentiment.details.support.note]
        table.add_row("Sentiment", str(sentiment.sentiment_score), "; ".join(remark for remark in remarks if remark))
    return Group(heading("Scores (0 to 100)"), table)


def emotions(answers: MeetingAnswers) -> Text:
    """Render the emotions in one line, strongest first, or why they and sentiment are unknown."""
    if not answers.emotions.HasField("meeting_emotions"):
        return Text(answers.quality.group_dynamics.reason)
    found = MessageToDict(answers.emotions.meeting_emotions, always_print_fields_with_no_presence=True)
    ranked = sorted(found.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{name.replace('_', ' ')} {percent:.0f} %" for name, percent in ranked if percent >= 0.5)
    return Text(f"Emotions in the words: {listed}")


def pairs(answers: MeetingAnswers, aliases: dict[str, str]) -> Group | None:
    """Render the pairs with the strongest interaction."""
    nodes = sorted(answers.pairs.nodes, key=lambda node: -node.exchanges)
    if not nodes:
        return None
    lines = [heading("Who talks with whom (strongest pair = 100)")]
    for node in nodes[:MAX_PAIRS]:
        first, second = (aliases[speaker] for speaker in node.between)
        lines.append(Text(f"  {first} and {second}: {node.value} ({node.exchanges} exchanges)"))
    if len(nodes) > MAX_PAIRS:
        lines.append(Text(f"  ... and {len(nodes) - MAX_PAIRS} more pairs", "dim"))
    return Group(*lines)


def flow(answers: MeetingAnswers) -> Text:
    """Render the pace of the conversation in one line."""
    found = answers.quality.flow
    parts = [
        f"{found.turns_per_minute:.1f} turns per minute",
        f"longest silence {found.longest_silence_ms / 1000:.1f} s",
    ]
    if found.HasField("response_latency_ms"):
        parts.append(f"response latency {found.response_latency_ms / 1000:.1f} s (median)")
    if found.HasField("overlap_ratio"):
        parts.append(f"overlapping speech in {100 * found.overlap_ratio:.0f} % of the talking time")
    return Text(f"Flow: {', '.join(parts)}")


def over_time(answers: MeetingAnswers) -> Group | None:
    """Render energy, interaction and sentiment per period, if there are several."""
    found = answers.dynamics.dynamics
    if len(found) < 2:
        return None
    table = columns()
    for period in found[:MAX_PERIODS]:
        table.add_row(
            f"{clock(period.start)}",
            f"energy {period.energy_score}",
            f"interaction {period.interactions_score}",
            period.sentiment,
        )
    rest = [Text(f"... and {len(found) - MAX_PERIODS} more periods", "dim")] if len(found) > MAX_PERIODS else []
    return Group(heading("Over time"), table, *rest)
