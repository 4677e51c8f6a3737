"""``meetra doctor``: look at this machine and the running system, and say what is wrong and what to do."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cli.findings import Finding, State
from cli.home import Home, NotRunning, running_system
from cli.machine_checks import check_data_folder, check_disk, check_gpu, check_memory, check_models, check_programs
from cli.metrics_checks import check_metrics
from cli.system_checks import check_answers, check_database, check_logs, check_store

EXAMPLES = """\
examples:
  meetra doctor
  meetra doctor --json | jq '.[] | select(.state == "wrong")'

Exit code: 0 if nothing is wrong, 1 if something is.
"""
STYLES = {State.GOOD: "green", State.ADVICE: "yellow", State.WRONG: "bold red"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    command.add_argument("--json", action="store_true", help="print the findings as JSON")


async def run_doctor(arguments: argparse.Namespace) -> int:
    """Print what was found; return 1 if something is wrong, else 0."""
    found = await examine(arguments.data)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        console = Console(soft_wrap=True)
        for finding in found:
            console.print(Text(f"{finding.state:<7}", STYLES[finding.state]), Text(f"{finding.about}: {finding.text}"))
            if finding.fix:
                console.print(Text(f"        {finding.fix}"))
    return int(any(finding.state is State.WRONG for finding in found))


def home_on(data: Path) -> Home:
    """Return the data folder."""
    return Home(data.resolve())


async def examine(data: Path) -> list[Finding]:
    """Return what is found of this machine, and of the system on ``data`` if one runs."""
    home = home_on(data)
    found = [
        check_programs(),
        check_models(),
        *check_gpu(),
        check_memory(),
        check_data_folder(home),
        check_disk(home),
    ]
    try:
        system = running_system(data)
    except NotRunning as error:
        return [*found, Finding("system", State.ADVICE, "no system runs on this data folder", str(error))]
    return [
        *found,
        *await check_answers(system),
        *await check_database(home),
        *await check_store(home),
        *await check_metrics(system),
        check_logs(home),
    ]
