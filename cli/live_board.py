"""The live board of ``meetra stream``: the whole window of a terminal, redrawn several times per second.

It has the terminal's alternate screen, and each picture fills the window as large as it is at that moment: nothing is
left of a picture made for another size. What there is no room for is left out, the newest words last of all.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cli.live_view import View, clock, format_alert, format_language, format_track, printable, says_more
from meetra_client import (
    Alert,
    Event,
    Insights,
    Language,
    LiveMeeting,
    LiveWarning,
    TrackChange,
    Turn,
    TurnState,
    Watermark,
)
from server.visible_text import escape_for_terminal

BAR_CELLS, NAME_CELLS = 24, 20
# Sizes of a window from which shares and warnings are shown beside the words.
SHARES_MIN_LINES, SHARES_MIN_CELLS = 12, 60
WARNINGS_MIN_LINES = 8
WARNINGS_SHOWN = 3
# Turns are kept for as many lines as any window has.
TURNS_KEPT = 200
# A turn that has not grown for so long is not being spoken any more, whatever its state: words may be outstanding.
SPEAKING_S = 2.0
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Board(View):
    """A live board of the meeting."""

    def __init__(self, console: Console, name: str) -> None:
        self._name = name
        self._console = console
        self._live = Live(console=console, auto_refresh=False, screen=True)
        self._turns: dict[int, Turn] = {}
        self._grown_at: dict[int, float] = {}
        """When the end of a turn last moved on, by the monotonic clock."""
        self._words_final_ms = 0
        self._languages: dict[str, str] = {}
        self._insights: Insights | None = None
        self._warnings: deque[str] = deque(maxlen=WARNINGS_SHOWN)
        self._alerts: set[int] = set()
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

    def event(self, event: Event) -> None:
        """Update the board's state."""
        match printable(event):
            case Turn() as turn:
                self._update_turn(turn)
            case Watermark(words_final_through_ms=through_ms):
                self._words_final_ms = through_ms
            case Language() as language:
                self._languages[language.track_id] = format_language(language)
            case Insights() as insights:
                self._insights = insights
            case LiveWarning(text=text):
                self._warnings.append(text)
            case TrackChange() as change:
                self._warnings.append(format_track(change))
            case Alert() as alert if says_more(self._alerts, alert):
                self._warnings.append(f"{clock(alert.start_ms)}  {format_alert(alert)}")

    def tick(self, meeting: LiveMeeting) -> None:
        """Redraw the board."""
        self._live.update(self.picture(meeting), refresh=True)

    def finishing(self) -> None:
        """Show that the meeting is finishing."""
        self._finishing = True

    def notice(self, text: str) -> None:
        """Show the remark among the warnings."""
        self._warnings.append(text)

    def picture(self, meeting: LiveMeeting) -> Group:
        """Render the current state for the window's current size: no line is wider, and there are no more lines."""
        width, height = self._console.size
        above = [self._status(meeting)]
        if height >= SHARES_MIN_LINES and width >= SHARES_MIN_CELLS and self._insights and self._insights.speakers:
            above += [*self._shares(self._insights, height // 4), Text("")]
        below = [Text(f"! {text}", "yellow") for text in self._warnings] if height >= WARNINGS_MIN_LINES else []
        for line in (*above, *below):
            line.truncate(width, overflow="ellipsis")
        words = self._newest_lines(width, max(1, height - len(above) - len(below)))
        return Group(*[*above, *words, *below][-height:])

    def _update_turn(self, turn: Turn) -> None:
        previous = self._turns.get(turn.segment_id)
        if turn.state is TurnState.RETRACTED:
            self._turns.pop(turn.segment_id, None)
            self._grown_at.pop(turn.segment_id, None)
            return
        if previous is None or turn.end_ms > previous.end_ms:
            self._grown_at[turn.segment_id] = time.monotonic()
        self._turns[turn.segment_id] = turn
        if len(self._turns) > 2 * TURNS_KEPT:
            kept = self._in_order()[-TURNS_KEPT:]
            self._turns = {turn.segment_id: turn for turn in kept}
            self._grown_at = {turn.segment_id: self._grown_at.get(turn.segment_id, 0.0) for turn in kept}

    def _in_order(self) -> list[Turn]:
        """Return the turns by their ends: the newest words come last."""
        return sorted(self._turns.values(), key=lambda turn: (turn.end_ms, turn.start_ms))

    def _speaking(self) -> dict[str, str]:
        """Return the names of those who speak at this moment, by speaker id."""
        if self._finishing:
            return {}
        newest_ms = max((turn.end_ms for turn in self._turns.values()), default=0)
        now = time.monotonic()
        return {
            turn.speaker_id: turn.alias
            for turn in self._in_order()
            if turn.state is TurnState.PARTIAL
            and now - self._grown_at[turn.segment_id] < SPEAKING_S
            and newest_ms - turn.end_ms < SPEAKING_S * 1000
        }

    def _status(self, meeting: LiveMeeting) -> Text:
        state = "live" if meeting.connected else "connection lost, reconnecting"
        if meeting.ready.finishing or self._finishing:
            state = "finishing: the last audio is still being analysed"
        parts = [clock(int((time.monotonic() - self._began) * 1000)), state]
        speaking = ", ".join(escape_for_terminal(name) for name in self._speaking().values())
        parts += [f"● {speaking}"] if speaking else []
        parts += [f"analysis {meeting.lag_ms / 1000:.1f} s behind", *dict.fromkeys(self._languages.values())]
        if meeting.reconnects:
            parts.append(f"reconnected {meeting.reconnects} x")
        parts.append(escape_for_terminal(self._name))
        return Text("  ·  ".join(parts), "bold" if meeting.connected else "bold red")

    def _shares(self, insights: Insights, most: int) -> list[Text]:
        """Return a line for each of the ``most`` speakers who spoke most, and one of scores."""
        speaking = self._speaking()
        lines = []
        for speaker in sorted(insights.speakers, key=lambda speaker: -speaker.speaking_ms)[:most]:
            colour = self._colour(speaker.speaker_id)
            name = Text(escape_for_terminal(speaker.alias), colour)
            name.truncate(NAME_CELLS, overflow="ellipsis", pad=True)
            bar = "█" * round(speaker.speaking_percentage / 100 * BAR_CELLS)
            line = Text.assemble(("● " if speaker.speaker_id in speaking else "  ", "bold green"), name)
            line.append(f"  {bar.ljust(BAR_CELLS, '·')}", colour)
            line.append(f"  {speaker.speaking_percentage:3.0f} %  {speaker.speaking_ms / 1000:.0f} s")
            line.append("  has the floor" if speaker.speaker_id == insights.floor_speaker_id else "", "dim")
            lines.append(line)
        scores = f"balance {insights.balance_score:.0f}  interaction {insights.interaction_score:.0f}"
        scores += f"  energy {insights.energy_score:.0f}"
        if insights.sentiment_score is not None:
            scores += f"  sentiment {insights.sentiment_score}"
        if insights.interruptions is not None:
            scores += f"  interruptions {insights.interruptions}"
        return [*lines, Text(scores, "dim")]

    def _newest_lines(self, width: int, count: int) -> list[Text]:
        """Return the last ``count`` lines of the turns, broken to ``width`` cells."""
        lines: list[Text] = []
        for turn in reversed(self._in_order()):
            text = Text(f"{clock(turn.start_ms)}  ", "dim")
            text.append(f"{escape_for_terminal(turn.alias)}: ", self._colour(turn.speaker_id))
            provisional = turn.state is not TurnState.FINAL and turn.end_ms > self._words_final_ms
            text.append(turn.text or "...", "italic" if provisional else "")
            lines = [*text.wrap(self._console, width, overflow="fold", no_wrap=False), *lines]
            if len(lines) >= count:
                break
        return lines[-count:]

    def _colour(self, speaker_id: str) -> str:
        return self._colours.setdefault(speaker_id, COLOURS[len(self._colours) % len(COLOURS)])
