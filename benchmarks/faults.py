"""What each fault costs: every kind of process, the database, the disk and the object store fail under load.

    python -m benchmarks.faults [--live 10] [--uploads 20] [--outage-s 60] [--only FAULT ...] [--json FILE [--go-on]]

--live meetings are streamed at their own speed and --uploads recordings uploaded one after another, anew for each fault
that is made to a running system. Faults that last, such as a full disk, last --outage-s seconds. Printed are, of each:

- ``recovery_s``: from the end of the fault until a caller who comes anew can upload, and has live audio acknowledged;
- ``seen``: what clients saw: uploads that were not accepted, by status and reason, and repeated until they were; lost
  connections of live meetings, and refusals after which they were resumed; ``reconnects``;
- ``lost_samples``: of the live meetings, in the audio log; ``repeated_events``: told twice, or never stored as told;
- ``lost_meetings``: live meetings and accepted uploads that did not become ready;
- ``wrong_results``: differences from undisturbed meetings of the same audio: turns, words, sentences, every score;
- ``behind_s``, ``finishing_s``: how far the words of a live meeting were behind at most, and how long it took from its
  last audio to its outcome. More meetings than the machine can follow come late, and are complete in the end;
- ``stood_still_s``, ``machine_load``: for how long the callers themselves were kept from running, and the load.

--json is written anew after each fault: what is in it is kept if the command is interrupted, and ``--go-on`` leaves
out what it has.

A full disk needs a disk of its own, which root on Linux can mount. A machine's clock is not moved: ``clock ahead`` and
``clock back`` move the moments that the database holds for leases, which is the same to them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fault_catalogue import FAULTS
from benchmarks.load_under_faults import Cost, LoadUnderFaults
from benchmarks.made_faults import Fault, Target
from benchmarks.rest_uploads import signed_in
from benchmarks.running_system import circumstances, running_system
from cli.free_port import free_port
from tests.doomed_children import Doom
from tests.object_stores import BUCKET, ObjectServer
from tests.small_disk import small_disk

DISK_KILOBYTES, DISK_FILES = 1_500_000, 200_000
# Of that disk; uploads are refused below it.
SETTINGS = {"MEETRA_DISK_RESERVE_BYTES": str(64 * 1024**2)}


def can_mount(folder: Path) -> bool:
    """Return whether a disk can be mounted here."""
    try:
        with small_disk(folder / "tried", 64):
            return True
    except pytest.skip.Exception:
        return False


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    with small_disk(folder, DISK_KILOBYTES, DISK_FILES):
        folder.chmod(0o700)
        yield


@asynccontextmanager
async def target(folder: Path, *, with_store: bool = False, small: bool = False) -> AsyncIterator[Target]:
    """A system that faults can be made to.

    Args:
        folder: for what is beside it.
        with_store: whether it keeps recordings in an object store.
        small: whether its data folder is a disk of its own.
    """
    doom, store, settings = Doom(folder / "doom"), None, dict(SETTINGS)
    variables = {"PYTHONPATH": doom.python_path()}
    if with_store:
        store = ObjectServer(folder / "store", free_port())
        variables |= store.environment
        settings["MEETRA_AUDIO_STORE"] = f"s3://{BUCKET}/faults"
    with ExitStack() as stack:
        if store is not None:
            store.start()
            stack.callback(store.kill)
        with _environment(variables):
            system = stack.enter_context(running_system(settings, disk=_disk if small else nullcontext))
            async with signed_in(system) as http:
                yield Target(system, http, doom, store)


async def measure(
    faults: list[Fault], live: int, uploads: int, outage_s: float, add: Callable[[dict[str, Any]], None]
) -> None:
    """Add a row for each fault; they are made to one system, or to two: one has an object store."""
    with tempfile.TemporaryDirectory(prefix="meetra-faults-") as name:
        mounting = can_mount(Path(name))
        for with_store in (False, True):
            made = [f for f in faults if (f.of == "store") == with_store and (mounting or f.of != "disk")]
            if not made:
                continue
            async with target(Path(name), with_store=with_store, small=mounting) as found:
                load = LoadUnderFaults(found, live, uploads, outage_s)
                for fault in made:
                    add(row(fault, await load.cost_of(fault)))


def row(fault: Fault, cost: Cost) -> dict[str, Any]:
    """Return what is printed of a fault."""
    return {
        "fault": fault.name,
        "recovery_s": round(cost.recovery_s, 1),
        "lost_samples": cost.lost_samples,
        "lost_meetings": cost.lost_meetings,
        "wrong_results": len(cost.different),
        "repeated_events": cost.repeated_events,
        "reconnects": cost.reconnects,
        "behind_s": round(cost.behind_s, 1),
        "finishing_s": round(cost.finishing_s, 1),
        "stood_still_s": round(cost.stood_still_s, 1),
        "machine_load": round(cost.machine_load, 1),
        "seen": dict(cost.seen),
        "different": cost.different,
    }


def lost_anything(rows: list[dict[str, Any]]) -> bool:
    """Return whether any fault cost a sample, a meeting, a right result, or that an event is told once."""
    return any(
        row[name] for row in rows for name in ("lost_samples", "lost_meetings", "wrong_results", "repeated_events")
    )


def main() -> int:
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--live", type=int, default=10, help="number of live meetings during each fault")
    parser.add_argument("--uploads", type=int, default=20, help="number of uploads during each fault")
    parser.add_argument("--outage-s", type=float, default=60, help="duration of each fault that lasts, seconds")
    parser.add_argument("--only", action="append", choices=names, help="a fault to make; all if none is named")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, after each fault")
    parser.add_argument("--go-on", action="store_true", help="keep what the JSON file has, and make the other faults")
    options = parser.parse_args()
    if options.go_on and options.json is None:
        parser.error("--go-on needs --json: it goes on with that file")
    rows: list[dict[str, Any]] = []
    if options.go_on and options.json.exists():
        rows = json.loads(options.json.read_text())["faults"]
    made = {one["fault"] for one in rows}

    def add(one: dict[str, Any]) -> None:
        rows.append(one)
        print(one, flush=True)
        if options.json:
            load = {"live": options.live, "uploads": options.uploads, "outage_s": options.outage_s}
            options.json.write_text(json.dumps({**load, "faults": rows, **circumstances()}, indent=2) + "\n")

    faults = [fault for fault in FAULTS if fault.name in (options.only or names) and fault.name not in made]
    asyncio.run(measure(faults, options.live, options.uploads, options.outage_s, add))
    for one in rows:
        print(" | ".join(f"{value}" for value in list(one.values())[:11]))
        for told, count in sorted(one["seen"].items()):
            print(f"    {count:>4} {told}")
    return 1 if lost_anything(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
