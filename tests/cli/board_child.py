"""A board in a terminal: ``python -m tests.cli.board_child``; events come as JSON lines on standard input."""

from __future__ import annotations

import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from google.protobuf.json_format import Parse
from meetra.v1 import live_pb2

from cli.console import PipedConsole
from cli.live_board import Board
from meetra_client import event_from


def main() -> None:
    """Draw until the input ends."""
    meeting: Any = SimpleNamespace(connected=True, ready=live_pb2.LiveReady(), lag_ms=400, reconnects=0)
    board = Board(PipedConsole(soft_wrap=True), "Weekly meeting")
    lock, ended = threading.Lock(), threading.Event()

    def read() -> None:
        for line in sys.stdin:
            with lock:
                board.event(event_from(Parse(line, live_pb2.LiveEvent())))
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    with board:
        while not ended.is_set():
            with lock:
                board.tick(meeting)
            time.sleep(0.02)
    print("over")


if __name__ == "__main__":
    main()
