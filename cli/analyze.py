"""``meetra analyze``: upload recordings, show their progress and a short report of each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cli.account import BadAddress, client_of
from cli.answers import fetch
from cli.report import show
from cli.terminal_text import as_json as to_json
from cli.terminal_text import escape_lines
from meetra_client import Account, MeetraClient, MeetraError
from server.visible_text import escape_for_terminal


async def analyze_file(client: MeetraClient, path: Path, console: Console, details: dict[str, Any]) -> tuple[str, bool]:
    """Upload a recording and follow its analysis; return its hash and whether it became ready. Raises MeetraError."""
    receipt = await client.upload(path, **details)
    if not console.is_terminal:
        return receipt.file_hash, await _print_stages(client, receipt.file_hash, console)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("waiting", total=100)
        async for state in client.states(receipt.file_hash):
            description = escape_for_terminal(f"{state.stage}: {state.message}")
            progress.update(task, description=description, completed=state.progress_percent)
    return receipt.file_hash, _report_outcome(state.status, state.message, console)


async def _print_stages(client: MeetraClient, file_hash: str, console: Console) -> bool:
    last_stage = ""
    async for state in client.states(file_hash):
        if state.stage != last_stage:
            last_stage = state.stage
            line = escape_for_terminal(f"{state.stage} ({state.progress_percent} %): {state.message}")
            console.print(line, highlight=False, markup=False)
    return _report_outcome(state.status, state.message, console)


def _report_outcome(status: str, message: str, console: Console) -> bool:
    if status == "failed":
        console.print(f"Failed: {escape_for_terminal(message)}", highlight=False, markup=False)
    return status == "ready"


async def analyze(
    account: Account, paths: list[Path], *, details: dict[str, Any], as_json: bool, console: Console
) -> int:
    """Analyse each file as the user of ``account``; return 0 if all became ready, else 1."""
    code = 0
    try:
        opened = client_of(account)
        await opened.check_reachable()
        # Log in before the first file is named.
        await opened.token()
    except (MeetraError, BadAddress) as error:
        print(f"login: {escape_lines(str(error))}", file=sys.stderr)
        return 1
    async with opened as client:
        for path in paths:
            try:
                file_hash, ready = await analyze_file(client, path, console, details)
                if not ready:
                    code = 1
                    continue
                answers = await fetch(client, file_hash)
            except (MeetraError, OSError) as error:
                print(escape_lines(f"{path}: {error}"), file=sys.stderr)
                code = 1
                continue
            if as_json:
                document = {"file": str(path), "file_hash": file_hash, **answers.to_document()}
                print(to_json(document, indent=2))
            else:
                show(console, details.get("name") or path.name, answers)
    return code
