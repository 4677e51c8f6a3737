"""The arguments of ``meetra up``, and what runs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.argument_types import ip_address, processes, web_origin
from cli.up import SAMPLE, CannotStart, UpOptions, up


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument(
        "--ready-file", type=Path, help="write address and demo user to this file as JSON once the system is ready"
    )
    command.add_argument(
        "--host",
        type=ip_address,
        default="127.0.0.1",
        help="address of the gateway; 0.0.0.0: all (default: %(default)s)",
    )
    command.add_argument("--port", type=int, help="port of the gateway (default: 8080, or a free one; 0: a free one)")
    command.add_argument(
        "--analyze", metavar="FILE", help="analyse this recording after the start; 'sample' is the bundled one"
    )
    command.add_argument("--open", action="store_true", help="open the page in the browser once it is served")
    command.add_argument(
        "--cors-origin",
        action="append",
        type=web_origin,
        default=[],
        metavar="ORIGIN",
        help="allow browser calls from pages of this origin (https://app.example, https://*.example.com; *: of all);"
        " repeatable",
    )
    command.add_argument(
        "--apis",
        type=processes,
        default=1,
        metavar="N",
        help="processes that answer calls, behind the one gateway (default: %(default)s)",
    )
    command.add_argument(
        "--workers",
        type=processes,
        default=1,
        metavar="N",
        help="processes that analyse recordings (default: %(default)s)",
    )
    command.add_argument(
        "--inference",
        type=processes,
        default=1,
        metavar="N",
        help="inference servers, each with models of its own, 3 GB; one uses all cores already (default: %(default)s)",
    )


async def run_up(arguments: argparse.Namespace) -> int:
    """Run ``meetra up``. Raises CannotStart."""
    recording = None
    if arguments.analyze:
        recording = SAMPLE if arguments.analyze == "sample" else Path(arguments.analyze)
        if not recording.is_file():
            raise CannotStart(f"recording not found: {recording}")
    origins = tuple(arguments.cors_origin)
    place = (arguments.data, arguments.ready_file, arguments.host, arguments.port)
    numbers = (arguments.apis, arguments.workers, arguments.inference)
    return await up(UpOptions(*place, recording, origins, arguments.open, *numbers))
