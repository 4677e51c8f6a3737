"""The ``meetra`` command for tests that run it often: ``python -m tests.e2e.warm_command_line SOCKET`` imports it once.

Importing takes longer than most commands. Each command runs in a fork of a process that has imported everything, with
the arguments, folder, environment and open files of its caller: the small program of ``CALLER``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from cli.__main__ import main
from cli.commands import COMMANDS

# Started without the site module, it is there within milliseconds. A search that finds nothing ends with 1, as grep
# does: no failure of a script.
CALLER = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({socket!r})
call = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
socket.send_fds(server, [json.dumps(call).encode()], [0, 1, 2])
code = ord(server.recv(1) or b"\\xff")
sys.exit(0 if code == 1 and sys.argv[1] == "search" else code)
"""
MAX_CALL_BYTES = 1 << 18


def serve(path: str) -> NoReturn:
    """Run the commands of callers until the process is ended."""
    for command in COMMANDS.values():
        command.load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen(16)
    # Who sees it can connect.
    Path(f"{path}.new").rename(path)
    # Nobody waits for the forks.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(caller)
        caller.close()


def _answer(caller: socket.socket) -> NoReturn:
    """Run one command, tell its exit code, and end the process."""
    code = 255
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        message, files, _, _ = socket.recv_fds(caller, MAX_CALL_BYTES, 3)
        call = json.loads(message)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(call["folder"])
        os.environ.clear()
        os.environ.update(call["environment"])
        sys.argv = ["meetra", *call["arguments"]]
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        with contextlib.suppress(OSError):
            caller.send(bytes([code]))
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
