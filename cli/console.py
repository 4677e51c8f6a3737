"""The console of commands whose output may be read by another program."""

from __future__ import annotations

from rich.console import Console


class PipedConsole(Console):
    """A console that raises BrokenPipeError where its reader has left; Rich's own ends the process then."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError
