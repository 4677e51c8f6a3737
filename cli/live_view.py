"""Views of ``meetra stream`` during a meeting: lines or JSON; the board of a terminal is in ``live_board.py``."""

from __future__ import annotations

import sys
from typing import Self

from google.protobuf.json_format import MessageToDict
from rich.console import Console

from cli.terminal_text import as_json, escape_message
from meetra_client import (
    Alert,
    AlertState,
    Event,
    Language,
    LiveMeeting,
    LiveWarning,
    SpeakerRevision,
    TrackChange,
    TrackChangeKind,
    Turn,
    TurnState,
    Watermark,
    event_from,
)
from server.visible_text import escape_for_terminal


class View:
    """A view that shows nothing, and the base of all others; a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def opened(self, meeting: LiveMeeting) -> None:
        """Handle the opening of the meeting."""

    def event(self, event: Event) -> None:
        """Handle an event of the meeting."""

    def tick(self, meeting: LiveMeeting) -> None:
        """Refresh; called several times per second."""

    def finishing(self) -> None:
        """Handle the end of the audio."""

    def notice(self, text: str) -> None:
        """Show a remark of the command itself."""
        print(f"meetra: {text}", file=sys.stderr)


def clock(milliseconds: int) -> str:
    """Format a time as ``MM:SS`` or ``H:MM:SS``."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def printable(event: Event) -> Event:
    """Return the event with all texts safe to print on a terminal."""
    return event_from(escape_message(event.raw))


def format_language(language: Language) -> str:
    """Return the language with its confidence."""
    return language.language if language.confidence is None else f"{language.language} ({language.confidence:.0%})"


def format_alert(alert: Alert) -> str:
    """Return what is said of an alert, with its rule."""
    return f"{alert.text}  [{alert.rule_id}]"


def format_track(event: TrackChange) -> str:
    """Return who has joined, left, or is called differently."""
    track = event.track
    names = " / ".join(name for name in (track.participant_name, *track.channel_names) if name)
    match event.change:
        case TrackChangeKind.ADDED:
            return f"Joined: {track.track_id}" + (f", {names}" if names else "")
        case TrackChangeKind.ENDED:
            return f"Left: {track.track_id}" + (f", {names}" if names else "")
        case TrackChangeKind.RENAMED:
            return f"Renamed: {track.track_id} is {names or 'without a name'}"
        case other:
            return f"Track {track.track_id}: {other.name.lower()}"


def says_more(shown: set[int], alert: Alert) -> bool:
    """Return whether an alert is to be shown: a confirmation is not. ``shown`` holds the ids of those that were."""
    new = alert.alert_id not in shown
    shown.add(alert.alert_id)
    return new or alert.state is AlertState.WITHDRAWN


class JsonLines(View):
    """One JSON object per line: first the session as ``{"ready": ...}``, then all events."""

    def opened(self, meeting: LiveMeeting) -> None:
        """Print the session."""
        self._print_line({"ready": MessageToDict(meeting.ready, always_print_fields_with_no_presence=True)})

    def event(self, event: Event) -> None:
        """Print the event."""
        self._print_line(MessageToDict(event.raw, always_print_fields_with_no_presence=True))

    def _print_line(self, line: dict[str, object]) -> None:
        print(as_json(line), flush=True)


class PlainLines(View):
    """A line per finished turn, and another if its final words differ; suited to logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_lines: dict[int, str] = {}
        self._provisional: dict[int, Turn] = {}
        self._alerts: set[int] = set()
        self._words_final_ms = 0
        self._reconnects = 0

    def opened(self, meeting: LiveMeeting) -> None:
        """Print the session id."""
        self._print(f"Session {meeting.session_id}")

    def event(self, event: Event) -> None:
        """Print the event, if it is of interest in a log."""
        match printable(event):
            case Turn() as turn:
                self._handle_turn(turn)
            case Watermark(words_final_through_ms=through_ms):
                self._words_final_ms = through_ms
                for turn in list(self._provisional.values()):
                    self._handle_turn(turn)
            case Language() as language:
                self._print(f"Language on {language.track_id}: {format_language(language)}")
            case LiveWarning(text=text):
                self._print(f"Warning: {text}")
            case Alert() as alert if says_more(self._alerts, alert):
                self._print(f"{clock(alert.start_ms)}  ! {format_alert(alert)}")
            case TrackChange() as change:
                self._print(format_track(change))
            case SpeakerRevision(kind=kind, segment_ids=segment_ids):
                self._print(f"Speakers: {kind.name.lower()}, {len(segment_ids)} turns reassigned")

    def tick(self, meeting: LiveMeeting) -> None:
        """Print new reconnections."""
        if meeting.reconnects > self._reconnects:
            self._reconnects = meeting.reconnects
            self._print(f"Reconnected ({self._reconnects} so far); nothing was lost")

    def finishing(self) -> None:
        """Print that the meeting is finishing."""
        self._print("Finishing: the last audio is still being analysed ...")

    def notice(self, text: str) -> None:
        """Print the remark."""
        self._print(text)

    def _handle_turn(self, turn: Turn) -> None:
        self._provisional.pop(turn.segment_id, None)
        if turn.state not in (TurnState.STABLE, TurnState.FINAL):
            return
        if turn.state is TurnState.STABLE and turn.end_ms > self._words_final_ms:
            self._provisional[turn.segment_id] = turn
            if turn.segment_id in self._printed_lines:
                return
        line = f"{clock(turn.start_ms)}  {escape_for_terminal(turn.alias)}: {turn.text}"
        if turn.words and self._printed_lines.get(turn.segment_id) != line:
            suffix = "  (now)" if turn.segment_id in self._printed_lines else ""
            self._printed_lines[turn.segment_id] = line
            self._print(line + suffix)

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)
