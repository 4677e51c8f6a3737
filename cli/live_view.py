"""Views of ``meetra stream`` during a meeting: a live board on a terminal, else lines or JSON."""

from __future__ import annotations

import time
from collections import deque
from typing import Self

from google.protobuf.json_format import MessageToDict
from meetra.v1 import live_pb2
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.terminal_text import as_json, escape_message
from meetra_client import LiveEvent, LiveMeeting
from server.visible_text import escape_for_terminal

PARTIAL, STABLE, FINAL, RETRACTED = (
    live_pb2.LIVE_TURN_STATE_PARTIAL,
    live_pb2.LIVE_TURN_STATE_STABLE,
    live_pb2.LIVE_TURN_STATE_FINAL,
    live_pb2.LIVE_TURN_STATE_RETRACTED,
)
BAR_CELLS = 24
TURNS_SHOWN = 12
WARNINGS_SHOWN = 3
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class View:
    """A view that shows nothing, and the base of all others; a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def opened(self, meeting: LiveMeeting) -> None:
        """Handle the opening of the meeting."""

    def event(self, event: LiveEvent) -> None:
        """Handle an event of the meeting."""

    def tick(self, meeting: LiveMeeting) -> None:
        """Refresh; called several times per second."""

    def finishing(self) -> None:
        """Handle the end of the audio."""


def clock(milliseconds: int) -> str:
    """Format a time as ``MM:SS`` or ``H:MM:SS``."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def turn_text(turn: live_pb2.LiveTurn) -> str:
    """Return the text of a turn."""
    return " ".join(word.text for word in turn.words)


def format_language(language: live_pb2.LiveLanguage) -> str:
    """Return the language with its confidence."""
    return f"{language.language} ({language.confidence:.0%})" if language.HasField("confidence") else language.language


class JsonLines(View):
    """One JSON object per line: first the session as ``{"ready": ...}``, then all events."""

    def opened(self, meeting: LiveMeeting) -> None:
        """Print the session."""
        self._print_line({"ready": MessageToDict(meeting.ready, always_print_fields_with_no_presence=True)})

    def event(self, event: LiveEvent) -> None:
        """Print the event."""
        self._print_line(MessageToDict(event, always_print_fields_with_no_presence=True))

    def _print_line(self, line: dict[str, object]) -> None:
        print(as_json(line), flush=True)


class PlainLines(View):
    """A line per finished turn, and another if its final words differ; suited to logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_lines: dict[int, str] = {}
        self._provisional: dict[int, live_pb2.LiveTurn] = {}
        self._words_final_ms = 0
        self._reconnects = 0

    def opened(self, meeting: LiveMeeting) -> None:
        """Print the session id."""
        self._print(f"Session {meeting.session_id}")

    def event(self, event: LiveEvent) -> None:
        """Print the event, if it is of interest in a log."""
        event = escape_message(event)
        if event.HasField("turn"):
            self._handle_turn(event.turn)
        elif event.HasField("watermark"):
            self._words_final_ms = event.watermark.words_final_through_ms
            for turn in list(self._provisional.values()):
                self._handle_turn(turn)
        elif event.HasField("language"):
            self._print(f"Language on {event.language.track_id}: {format_language(event.language)}")
        elif event.HasField("warning"):
            self._print(f"Warning: {event.warning.text}")
        elif event.HasField("speaker_revision"):
            kind = live_pb2.RevisionKind.Name(event.speaker_revision.kind).removeprefix("REVISION_KIND_").lower()
            self._print(f"Speakers: {kind}, {len(event.speaker_revision.segment_ids)} turns reassigned")

    def tick(self, meeting: LiveMeeting) -> None:
        """Print new reconnections."""
        if meeting.reconnects > self._reconnects:
            self._reconnects = meeting.reconnects
            self._print(f"Reconnected ({self._reconnects} so far); nothing was lost")

    def finishing(self) -> None:
        """Print that the meeting is finishing."""
        self._print("Finishing: the last audio is still being analysed ...")

    def _handle_turn(self, turn: live_pb2.LiveTurn) -> None:
        self._provisional.pop(turn.segment_id, None)
        if turn.state not in (STABLE, FINAL):
            return
        if turn.state == STABLE and turn.end_ms > self._words_final_ms:
            self._provisional[turn.segment_id] = turn
            if turn.segment_id in self._printed_lines:
                return
        line = f"{clock(turn.start_ms)}  {escape_for_terminal(turn.alias)}: {turn_text(turn)}"
        if turn.words and self._printed_lines.get(turn.segment_id) != line:
            suffix = "  (now)" if turn.segment_id in self._printed_lines else ""
            self._printed_lines[turn.segment_id] = line
            self._print(line + suffix)

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)


class Board(View):
    """A live board of the meeting, redrawn several times per second."""

    def __init__(self, console: Console, name: str) -> None:
        self._name = name
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._turns: dict[int, live_pb2.LiveTurn] = {}
        self._words_final_ms = 0
        self._languages: dict[str, str] = {}
        self._insights = live_pb2.LiveInsights()
        self._warnings: deque[str] = deque(maxlen=WARNINGS_SHOWN)
        self._colours: dict[str, str] = {}
        self._began = time.monotonic()
        self._finishing = False

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def opened(self, meeting: LiveMeeting) -> None:
        """Draw the board."""
        self.tick(meeting)

    def event(self, event: LiveEvent) -> None:
        """Update the board's state."""
        event = escape_message(event)
        if event.HasField("turn"):
            if event.turn.state == RETRACTED:
                self._turns.pop(event.turn.segment_id, None)
            else:
                self._turns[event.turn.segment_id] = event.turn
        elif event.HasField("watermark"):
            self._words_final_ms = event.watermark.words_final_through_ms
        elif event.HasField("language"):
            self._languages[event.language.track_id] = format_language(event.language)
        elif event.HasField("insights"):
            self._insights = event.insights
        elif event.HasField("warning"):
            self._warnings.append(event.warning.text)

    def tick(self, meeting: LiveMeeting) -> None:
        """Redraw the board."""
        self._live.update(self.picture(meeting), refresh=True)

    def finishing(self) -> None:
        """Show that the meeting is finishing."""
        self._finishing = True

    def picture(self, meeting: LiveMeeting) -> RenderableType:
        """Render the current state."""
        parts: list[RenderableType] = [self._status(meeting)]
        if self._insights.speakers:
            parts.append(self._shares())
        parts += [Text(""), *self._turn_lines()]
        parts += [Text(f"! {text}", "yellow") for text in self._warnings]
        return Group(*parts)

    def _status(self, meeting: LiveMeeting) -> Text:
        state = "live" if meeting.connected else "connection lost, reconnecting"
        if meeting.ready.finishing or self._finishing:
            state = "finishing: the last audio is still being analysed"
        parts = [escape_for_terminal(self._name), clock(int((time.monotonic() - self._began) * 1000)), state]
        parts.append(f"analysis {meeting.lag_ms / 1000:.1f} s behind")
        parts += dict.fromkeys(self._languages.values())
        if meeting.reconnects:
            parts.append(f"reconnected {meeting.reconnects} x")
        return Text("  ·  ".join(parts), "bold" if meeting.connected else "bold red")

    def _shares(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        speaking = {turn.speaker_id for turn in self._turns.values() if turn.state == PARTIAL}
        for speaker in self._insights.speakers:
            name = Text(escape_for_terminal(speaker.alias), self._colour(speaker.speaker_id))
            bar = "█" * round(speaker.speaking_percentage / 100 * BAR_CELLS)
            floor = "has the floor" if speaker.speaker_id == self._insights.floor_speaker_id else ""
            table.add_row(
                Text("●" if speaker.speaker_id in speaking else " ", "bold green"),
                name,
                Text(bar.ljust(BAR_CELLS, "·"), self._colour(speaker.speaker_id)),
                f"{speaker.speaking_percentage:.0f} %",
                f"{speaker.speaking_ms / 1000:.0f} s",
                Text(floor, "dim"),
            )
        scores = f"balance {self._insights.balance_score:.0f}  interaction {self._insights.interaction_score:.0f}"
        scores += f"  energy {self._insights.energy_score:.0f}"
        if self._insights.HasField("sentiment_score"):
            scores += f"  sentiment {self._insights.sentiment_score}"
        if self._insights.HasField("interruptions"):
            scores += f"  interruptions {self._insights.interruptions}"
        table.caption, table.caption_justify = Text(scores, "dim"), "left"
        return table

    def _turn_lines(self) -> list[Text]:
        lines = []
        for turn in sorted(self._turns.values(), key=lambda turn: turn.start_ms)[-TURNS_SHOWN:]:
            line = Text(f"{clock(turn.start_ms)}  ", "dim")
            line.append(f"{escape_for_terminal(turn.alias)}: ", self._colour(turn.speaker_id))
            provisional = turn.state != FINAL and turn.end_ms > self._words_final_ms
            line.append(turn_text(turn) or "...", "italic" if provisional else "")
            lines.append(line)
        return lines

    def _colour(self, speaker_id: str) -> str:
        return self._colours.setdefault(speaker_id, COLOURS[len(self._colours) % len(COLOURS)])
