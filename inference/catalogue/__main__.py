"""``python -m inference.catalogue``, which ``meetra models`` starts: list, pull, verify and export models."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from inference.catalogue.entry import TASKS, ModelEntry, PublishedModel
from inference.catalogue.hub import TIMEOUT_S, Hub, HubUnreachable, PullFailed, hub_address
from inference.catalogue.listing import Catalogue, CatalogueUnreadable, catalogue
from inference.catalogue.local import check_published, models_folder, resolve_entry
from inference.catalogue.pull import pull
from inference.catalogue.rendering import as_json, listing, size_of, size_text
from inference.models import ModelCorrupt, ModelMissing

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)
TRUE = {"1", "on", "true", "yes"}
SETTINGS = """\
environment:
  MEETRA_MODELS_DIR        folder of pulled models (default: meetra/models in the user's cache folder)
  MEETRA_MODELS_HUB        a hub with the API of huggingface.co, such as a mirror
  MEETRA_MODELS_CATALOGUE  a TOML file with your own entries (docs/models.md)
  HF_TOKEN                 your access token, for models whose terms must be accepted
  HF_HUB_OFFLINE=1         no network access: only report missing models
"""


def parser() -> argparse.ArgumentParser:
    """Build the parser of commands and options."""
    root = argparse.ArgumentParser(
        prog="meetra models",
        description="List, download, verify and export models.",
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, epilog=SETTINGS, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    show = add("list", "List all models of the catalogue and whether they are installed.")
    show.add_argument("--task", choices=TASKS, help="only models for this task")
    show.add_argument("--json", action="store_true", help="print all details as JSON")
    fetch = add("pull", "Download models and verify their digests. Interrupted downloads are resumed.")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="a model or a set of models, such as 'recommended'")
    fetch.add_argument(
        "--trust-first-use",
        action="store_true",
        help="accept files without a known digest, and require the same digest from then on",
    )
    fetch.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT_S,
        metavar="SECONDS",
        help="time without data after which a connection counts as lost (default: 30)",
    )
    check = add("verify", "Verify the digests of models. Exit code 1: one is corrupt, or a named one is missing.")
    check.add_argument("names", nargs="*", metavar="NAME", help="models (default: all that are installed)")
    export = add("export", "Export a NeMo checkpoint to ONNX, to run it without PyTorch. Requires NeMo.")
    export.add_argument("source", metavar="SOURCE", help="a .nemo file, or the name of a pulled model")
    export.add_argument("destination", metavar="DEST", help="output folder; further options are passed to the export")
    return root


def entries(known: Catalogue, names: list[str]) -> list[ModelEntry]:
    """Return the models that names and sets stand for, each once. Raises PullFailed for an unknown name."""
    found: dict[str, ModelEntry] = {}
    for name in names:
        entry = known.find(name)
        members = known.sets.get(name, (entry,) if entry else ())
        if not members:
            raise PullFailed(f"no model or set named {name!r}; 'meetra models list' shows all names")
        found |= {member.key: member for member in members}
    return list(found.values())


def run_list(arguments: argparse.Namespace) -> int:
    """Print the catalogue, as a table or as JSON. Return 0."""
    known = catalogue()
    models = [model for model in known.models if arguments.task in (None, model.task)]
    if arguments.json:
        print(as_json(models, known.sets, models_folder()))
        return 0
    out.print(listing(models, models_folder()), soft_wrap=False)
    for name, members in known.sets.items():
        out.print(Text(f"set {name}: {', '.join(member.key for member in members)}"))
    out.print(Text(f"models folder: {models_folder()}", "dim"))
    return 0


def run_pull(arguments: argparse.Namespace) -> int:
    """Pull models; print what was fetched. Return 1 when any is missing."""
    known = catalogue()
    wanted = entries(known, arguments.names)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in TRUE:
        return report_missing(wanted)
    done = 0
    with Hub(hub_address(), os.environ.get("HF_TOKEN") or None, arguments.timeout) as hub:
        for entry in wanted:
            try:
                if isinstance(entry, PublishedModel):
                    pull_one(entry, hub, arguments.trust_first_use)
                else:
                    resolve_entry(entry)
                    err.print(Text(f"{entry.key}: installed with its package, verified"))
                done += 1
            except (PullFailed, ModelCorrupt, ModelMissing) as error:
                err.print(Text(f"{entry.key}: {error}", "red"))
                if isinstance(error, HubUnreachable):
                    break
    if done < len(wanted):
        err.print(
            Text(f"{len(wanted) - done} of {len(wanted)} models are missing; run the same command again to continue")
        )
        return 1
    for name in arguments.names:
        if name in known.sets:
            out.print(Text(f"MEETRA_INFERENCE_MODELS={name}"))
    return 0


def pull_one(entry: PublishedModel, hub: Hub, trust_first_use: bool) -> None:
    """Pull a model and show progress. Raises PullFailed or ModelCorrupt."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    allowed = "allows commercial use" if entry.commercial_use else "forbids commercial use"
    err.print(Text(f"{entry.key} ({entry.task}), {entry.licence}: {allowed}"))
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        bars = {file.path: progress.add_task(file.path, total=file.size, start=False) for file in entry.files}

        def report(path: str, done: int, total: int) -> None:
            # Speed counts from where an earlier pull stopped.
            if not progress.tasks[bars[path]].started:
                progress.start_task(bars[path])
            progress.update(bars[path], completed=done, total=total)

        fetched = pull(entry, hub, models_folder(), report, trust_first_use=trust_first_use)
    state = f"downloaded {len(fetched)} of {len(entry.files)} files" if fetched else "already installed"
    err.print(Text(f"{entry.key}: {state}, verified, in {models_folder() / entry.name}"))


def report_missing(wanted: list[ModelEntry]) -> int:
    """Check local files only, and print what is missing. Return 0 when nothing is."""
    missing = 0
    for entry in wanted:
        try:
            resolve_entry(entry)
            err.print(Text(f"{entry.key}: installed, verified"))
        except (ModelMissing, ModelCorrupt) as error:
            missing += 1
            err.print(Text(f"{entry.key} ({size_text(size_of(entry))}): {error}", "red"))
    if missing:
        err.print(
            Text(
                "HF_HUB_OFFLINE is set, so nothing is downloaded. Pull on a machine with a network, then copy its "
                f"models folder (each model's folder, and pulled.json) to {models_folder()}"
            )
        )
    return 1 if missing else 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Hash models again. Return 1 when one is wrong, or named and missing."""
    known = catalogue()
    named = bool(arguments.names)
    wrong = 0
    for entry in entries(known, arguments.names) if named else known.models:
        try:
            if isinstance(entry, PublishedModel):
                if not named and not (models_folder() / entry.name).is_dir():
                    continue
                check_published(entry, models_folder())
            else:
                resolve_entry(entry)
            out.print(Text(f"ok       {entry.key}"))
        except ModelMissing as error:
            wrong += 1
            out.print(Text(f"missing  {entry.key}: {error}"))
        except ModelCorrupt as error:
            wrong += 1
            out.print(Text(f"WRONG    {entry.key}: {error}"))
    return 1 if wrong else 0


def run_export(arguments: argparse.Namespace, further: list[str]) -> int:
    """Export a NeMo checkpoint in a child process; return its exit code. Raises ModelMissing."""
    source = Path(arguments.source)
    entry = catalogue().find(arguments.source)
    if entry is not None:
        source = resolve_entry(entry).path
    elif not source.is_file():
        raise ModelMissing(f"no file {source}, and no model of that name in the catalogue")
    command = [sys.executable, "-m", "inference.nemo.export", str(source), arguments.destination, *further]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Run one command; return 0 on success, 1 on failure and 130 when interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    arguments, further = parser().parse_known_args()
    if further and arguments.command != "export":
        parser().error(f"unrecognized arguments: {' '.join(further)}")
    try:
        if arguments.command == "export":
            return run_export(arguments, further)
        return {"list": run_list, "pull": run_pull, "verify": run_verify}[arguments.command](arguments)
    except (PullFailed, CatalogueUnreadable, ModelMissing, ModelCorrupt) as error:
        print(f"meetra models: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to continue", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
