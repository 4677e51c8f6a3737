"""A program in a terminal of a given size: a pseudo-terminal whose output an emulator draws."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import pyte

from tests.recordings import ROOT

PATIENCE_S = 300


class Terminal:
    """A running program, what its window shows, and its standard input where that is no terminal."""

    def __init__(self, command: Sequence[str], columns: int, lines: int, *, piped_input: bool = False) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.written = b""
        """Everything that the program has written."""
        self._master, slave = pty.openpty()
        self._set_size(columns, lines)
        environment = {**os.environ, "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE if piped_input else slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            # No signal for the tests' own group reaches it.
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def input(self) -> IO[bytes]:
        """The piped standard input."""
        assert self.process.stdin is not None
        return self.process.stdin

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        """Make the window larger or smaller; what it showed is cut, and its new cells hold rubbish."""
        with self._lock:
            self._screen.resize(lines, columns)
            for row in range(lines):
                self._screen.cursor_position(row + 1, 1)
                self._screen.draw("#" * (columns - 1))
            self._screen.cursor_position(1, 1)
            self._set_size(columns, lines)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the program has ended
                return
            if not data:
                return
            with self._lock:
                self.written += data
                self._stream.feed(data)

    def shown(self) -> list[str]:
        """The lines of the window, without spaces at their ends."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    def wait_until(self, fits: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the window shows what fits, and return its lines."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if fits(lines := self.shown()):
                return lines
            if self.process.poll() is not None:
                self._reader.join(5)
                if fits(lines := self.shown()):
                    return lines
                break
            time.sleep(0.05)
        text = "\n".join(self.shown())
        raise AssertionError(f"the window never fitted (exit status {self.process.poll()}):\n{text}")

    def end(self) -> int:
        """Wait for the program's end and return its exit status."""
        status = self.process.wait(PATIENCE_S)
        self._reader.join(5)
        return status

    def close(self) -> None:
        """Kill the program, if it still runs, and give the terminal back."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        os.close(self._master)
        if self.process.stdin is not None:
            self.process.stdin.close()


@contextmanager
def terminal(command: Sequence[str], columns: int, lines: int, *, piped_input: bool = False) -> Iterator[Terminal]:
    """A program in a terminal, killed at the end of the context."""
    made = Terminal(command, columns, lines, piped_input=piped_input)
    try:
        yield made
    finally:
        made.close()
