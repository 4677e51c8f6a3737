"""The commands of ``meetra``: what each does, and where it is, without importing it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """A command, imported once it is wanted: all of them together take longer than most need to run."""

    description: str
    place: str
    """Its module in this package, and its coroutine there: ``module:coroutine``."""
    arguments: str = "add_arguments"
    """The function of the module that adds its arguments to a parser."""

    def load(self) -> ModuleType:
        """Import and return its module."""
        return import_module(f"cli.{self.place.partition(':')[0]}")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command to its parser."""
        getattr(self.load(), self.arguments)(parser)

    def runner(self) -> Callable[[argparse.Namespace], Coroutine[Any, Any, int]]:
        """Return what runs the command, and returns its exit code."""
        run: Callable[[argparse.Namespace], Coroutine[Any, Any, int]]
        run = getattr(self.load(), self.place.partition(":")[2])
        return run


# In the order of the help.
COMMANDS = {
    "up": Command("Start everything on this machine and serve until Ctrl-C.", "up_command:run_up"),
    "analyze": Command(
        "Analyse recordings on a running system and print a report of each.",
        "media_commands:run_analyze",
        arguments="analyze_arguments",
    ),
    "stream": Command(
        "Stream a meeting live to a running system, watch it, and print its report.",
        "media_commands:run_stream",
        arguments="stream_arguments",
    ),
    "env": Command('Print shell exports: eval "$(meetra env)".', "shell_exports:run_env"),
    "meetings": Command("List and delete the meetings of your organization.", "meetings:run_meetings"),
    "report": Command("Print the report of a finished meeting.", "meeting_report:run_report"),
    "export": Command(
        "Write a finished meeting as subtitles, document, table or annotation, or its sound.",
        "meeting_export:run_export",
    ),
    "search": Command("Search all meetings of the organization, by words and by meaning.", "search:run_search"),
    "mcp": Command(
        "Serve the tools for assistants (Model Context Protocol) on standard input and output.", "mcp:run_mcp"
    ),
    "open": Command("Open the page of the running system in your browser.", "open_page:run_open"),
    "doctor": Command(
        "Look at this machine and the running system; say what is wrong and what to do.", "doctor:run_doctor"
    ),
    "users": Command("List, add, change and delete users, of any organization.", "users:run_users"),
    "keys": Command("List, add and revoke API keys, of any organization.", "keys:run_keys"),
    "webhooks": Command(
        "List, add, change, try and delete webhooks of your organization, and read what they were told.",
        "webhooks:run_webhooks",
    ),
    "tokens": Command(
        "List, replace and revoke the keys that sign tokens. A running system follows within seconds.",
        "tokens:run_tokens",
    ),
    "organizations": Command(
        "Show what organizations use and may use, or change quotas and policy of one.",
        "organizations:run_organizations",
    ),
    "audit": Command("Print the audit log of an organization, newest first.", "audit:run_audit"),
    "archive": Command(
        "Write everything of an organization into a new tar archive that only you can read.", "archive:run_archive"
    ),
    "completion": Command(
        "Print a script that completes meetra's command line in your shell.", "completion:run_completion"
    ),
    "backup": Command(
        "Copy all of a running system into a new folder: database, recordings, live tracks, keys and passwords.",
        "backup:run_backup",
        arguments="add_backup_arguments",
    ),
    "restore": Command(
        "Make a data folder out of a backup; `meetra up --data FOLDER` then answers as the system did.",
        "backup:run_restore",
        arguments="add_restore_arguments",
    ),
    "purge": Command(
        "Rewrite the database so that no byte of deleted meetings stays in its files. Calls wait meanwhile.",
        "purge:run_purge",
    ),
}
# ``meetra models``: its arguments are its own (cli/models.py).
MODELS = "List, pull, verify and export models."
