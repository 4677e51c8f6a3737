"""The console of commands whose output another program may read."""

from __future__ import annotations

import io

import pytest

from cli.console import PipedConsole


class Unread(io.StringIO):
    """A pipe whose reader has left."""

    def flush(self) -> None:
        """Fail as the system does."""
        raise BrokenPipeError


def test_a_reader_who_has_left_is_an_error_to_handle_and_does_not_end_the_process() -> None:
    with pytest.raises(BrokenPipeError):
        PipedConsole(file=Unread()).print("hello")
