"""The command line: ``meetra``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

import argcomplete

from cli.commands import COMMANDS, MODELS
from cli.home import DEFAULT_DATA
from cli.models import run_models
from cli.refusals import is_refusal
from cli.terminal_text import escape_lines


def parser(words: Collection[str] | None = None) -> argparse.ArgumentParser:
    """Build the argument parser.

    Args:
        words: a command line; only commands named in it are imported and have arguments (None: all commands).
    """
    root = argparse.ArgumentParser(prog="meetra", description="Open conversation-intelligence server.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.description, description=command.description)
        added.add_argument("--data", type=Path, default=DEFAULT_DATA, help="data folder (default: %(default)s)")
        if words is None or name in words:
            command.add_arguments(added)
    # Its arguments, including --help, are its own: main() passes them on before parsing.
    commands.add_parser("models", help=MODELS, description=MODELS)
    return root


def main() -> int:
    """Run one command and return the exit code; 0 on success."""
    if sys.argv[1:2] == ["models"]:
        return run_models(sys.argv[2:])
    # COMP_LINE: the line so far, where the shell asks what may follow.
    commands_parser = parser([*sys.argv[1:], *os.environ.get("COMP_LINE", "").split()])
    argcomplete.autocomplete(commands_parser)
    arguments = commands_parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # gRPC's log messages do not help users.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        return asyncio.run(COMMANDS[arguments.command].runner()(arguments))
    except BrokenPipeError:
        # Whoever read the output has left, as `head` does. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not is_refusal(error):
            raise
        print(f"meetra: {escape_lines(str(error))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
