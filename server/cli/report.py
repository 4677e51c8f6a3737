"""The short report on a meeting, for a terminal or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meetra.v1 import insights_pb2, insights_pb2_grpc, speakers_pb2, speakers_pb2_grpc
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from server.cli.client import Client

FIRST_LINES = 12
BAR_CELLS = 24


@dataclass(frozen=True, slots=True)
class MeetingAnswers:
    """Everything the report shows, with details."""

    speakers: speakers_pb2.ListSpeakersResponse
    balance: insights_pb2.GetBalanceScoreResponse
    interaction: insights_pb2.GetInteractionScoreResponse
    pairs: insights_pb2.GetInteractionsResponse
    shares: insights_pb2.GetSpeakersBalanceResponse
    transcript: insights_pb2.GetTranscriptionResponse


async def fetch(client: Client, file_hash: str) -> MeetingAnswers:
    """Asks for all answers of a finished meeting. Raises CallFailed."""
    speakers = speakers_pb2_grpc.SpeakerServiceStub(client.channel)
    insights = insights_pb2_grpc.InsightsServiceStub(client.channel)

    async def detailed(method: Any, request: Any) -> Any:
        return await client.call(method, request(file_hash=file_hash, include_details=True))

    return MeetingAnswers(
        speakers=await client.call(speakers.ListSpeakers, speakers_pb2.ListSpeakersRequest(file_hash=file_hash)),
        balance=await detailed(insights.GetBalanceScore, insights_pb2.GetBalanceScoreRequest),
        interaction=await detailed(insights.GetInteractionScore, insights_pb2.GetInteractionScoreRequest),
        pairs=await detailed(insights.GetInteractions, insights_pb2.GetInteractionsRequest),
        shares=await detailed(insights.GetSpeakersBalance, insights_pb2.GetSpeakersBalanceRequest),
        transcript=await detailed(insights.GetTranscription, insights_pb2.GetTranscriptionRequest),
    )


def show(console: Console, name: str, answers: MeetingAnswers) -> None:
    """Prints the report."""
    aliases = {speaker.id: speaker.alias for speaker in answers.speakers.speakers}
    console.print()
    console.rule(Text(name))
    console.print(_shares(answers, aliases))
    console.print(_scores(answers))
    console.print(_pairs(answers, aliases))
    console.print(_transcript(answers, aliases))
    if not answers.transcript.details.engine.overlap:
        console.print(Text("Overlap and interruptions: not measured by this engine (one speaker at a time).", "dim"))


def _shares(answers: MeetingAnswers, aliases: dict[str, str]) -> Table | Text:
    if not aliases:
        return Text("Nobody speaks in this recording.")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title="Speaking time", title_justify="left")
    for share in answers.shares.speakers:
        bar = "█" * round(share.meeting_speaking_percentage / 100 * BAR_CELLS)
        seconds = f"{share.speaking_ms / 1000:.0f} s"
        table.add_row(
            aliases[share.id], bar.ljust(BAR_CELLS, "·"), f"{share.meeting_speaking_percentage:.1f} %", seconds
        )
    return table


def _scores(answers: MeetingAnswers) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title="Scores (0 to 100)", title_justify="left")
    for title, score, details in (
        ("Balance", answers.balance.balance_score, answers.balance.details),
        ("Interaction", answers.interaction.meeting_interaction_score, answers.interaction.details),
    ):
        parts = ", ".join(f"{c.name.replace('_', ' ')} {c.value:.2f}" for c in details.components)
        table.add_row(title, f"{score:.1f}", parts if details.support.sufficient else details.support.reason)
    return table


def _pairs(answers: MeetingAnswers, aliases: dict[str, str]) -> Group:
    lines = [Text("Who talks with whom (strongest pair = 100)", "italic")] if answers.pairs.nodes else []
    for node in answers.pairs.nodes:
        first, second = (aliases[speaker] for speaker in node.between)
        lines.append(Text(f"  {first} and {second}: {node.value} ({node.exchanges} exchanges)"))
    return Group(*lines)


def _transcript(answers: MeetingAnswers, aliases: dict[str, str]) -> Group:
    entries, details = answers.transcript.transcription, answers.transcript.details
    lines = [Text("Transcript", "italic")]
    lines += [
        Text(f"  {entry.start_timestamp}  {aliases.get(entry.speaker, 'Unknown')}: {entry.transcription}")
        for entry in entries[:FIRST_LINES]
    ]
    if len(entries) > FIRST_LINES:
        lines.append(Text(f"  ... and {len(entries) - FIRST_LINES} more entries", "dim"))
    if not entries:
        lines.append(Text("  No words were recognised."))
    if details.HasField("mean_word_confidence"):
        confidence = f"Mean word confidence {details.mean_word_confidence:.2f}"
        if details.reliable:
            lines.append(Text(f"{confidence}: reliable enough to read.", "dim"))
        else:
            lines.append(Text(f"{confidence}, under {details.threshold:g}: UNRELIABLE. {details.advice}", "bold"))
    return Group(*lines)
