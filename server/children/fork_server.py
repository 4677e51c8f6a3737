"""Program that starts decoders by forking: ``python -m server.children.fork_server DESCRIPTOR``.

A decoder needs 0.4 s of processor time to start and import its libraries. This process does that once, and each decoder
is a fork of it, which takes milliseconds. It runs one thread, reads no hostile input, and knows no secrets: a fork
inherits nothing that a decoder must not have. Each decoder still confines itself before its first hostile byte.

Requests come over a stream socket, one at a time, as a line of JSON each. ``{"start": [module, argument, ...]}``, with
one or two descriptors, runs ``main()`` of the module in a fork, in a session of its own, whose standard output and
input they are; the answer is ``{"pid": N}`` or ``{"errno": N}``. ``{"ended": pid}`` is answered with
``{"code": N}``, negative if a signal ended the process, or with a null while it runs. An ended process keeps its pid
until it was asked for. The program ends when the socket is closed.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

# Imported for the children.
import server.children.decode_media
import server.children.decode_opus  # noqa: F401
from server.confinement import PARENT, die_with_parent

MAX_REQUEST_BYTES = 65_536
MAX_DESCRIPTORS = 2


def run_program(program: Sequence[str], descriptors: Sequence[int]) -> int:
    """Run ``main()`` of a module with its arguments and standard streams; return the exit status."""
    os.setsid()
    for standard, descriptor in zip((1, 0), descriptors, strict=False):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    sys.argv = list(program)
    try:
        status = importlib.import_module(program[0]).main()
    except SystemExit as end:
        status = end.code
    with suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
    return status if isinstance(status, int) else int(status is not None)


def start(program: Sequence[str], descriptors: Sequence[int], control: socket.socket) -> dict[str, Any]:
    """Fork, and run a program in the fork; return the answer."""
    try:
        pid = os.fork()
    except OSError as error:
        return {"errno": error.errno}
    if pid:
        return {"pid": pid}
    status = 1
    try:
        control.close()
        status = run_program(program, descriptors)
    finally:
        # Without the clean-up at exit, which is the fork server's.
        os._exit(status)


def exit_code(pid: int) -> int | None:
    """Return the exit code of a child, and forget the child; None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def answer(line: bytes, descriptors: Sequence[int], control: socket.socket) -> dict[str, Any]:
    """Carry out a request."""
    request = json.loads(line)
    if "ended" in request:
        return {"code": exit_code(request["ended"])}
    return start(request["start"], descriptors, control)


def serve(control: socket.socket) -> None:
    """Answer requests until the socket is closed."""
    line = b""
    while True:
        received, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, MAX_DESCRIPTORS)
        if not received:
            return
        line += received
        if not line.endswith(b"\n"):
            continue
        try:
            said = answer(line, descriptors, control)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        control.sendall(json.dumps(said).encode() + b"\n")
        line = b""


def main() -> None:
    """Serve the socket whose descriptor is the only argument."""
    die_with_parent()
    os.environ[PARENT] = str(os.getpid())
    with socket.socket(fileno=int(sys.argv[1])) as control, suppress(ConnectionError):
        serve(control)


if __name__ == "__main__":
    main()
