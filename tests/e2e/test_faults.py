"""The short form of benchmarks.faults: those that no other test makes to a whole system, in turn."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fault_catalogue import FAULTS, in_turn
from benchmarks.faults import lost_anything, row, target
from benchmarks.load_under_faults import BEFORE_S, LoadUnderFaults
from benchmarks.made_faults import Fault

# The first one while the meeting is surely streamed.
NAMES = (
    "SIGTERM to the gateway",
    "database hung",
    "database gone",
    "worker hung",
    "clock ahead",
    "decoder without memory",
    "node killed",
)
OUTAGE_S, AFTER_S = 1.5, 9.0


async def test_faults_cost_time_and_nothing_else(tmp_path: Path) -> None:
    by_name = {fault.name: fault for fault in FAULTS}
    all_of_them = Fault("all", in_turn([by_name[name] for name in NAMES], OUTAGE_S))
    async with target(tmp_path) as found:
        # Uploads have the audio of the live meeting, so that one undisturbed meeting is enough.
        length_s = BEFORE_S + AFTER_S
        load = LoadUnderFaults(
            found, live=1, uploads=2, outage_s=0, after_s=AFTER_S, upload_s=length_s, kinds=1, patience_s=900
        )
        cost = row(all_of_them, await load.cost_of(all_of_them))
    assert not lost_anything([cost]), cost
    assert cost["recovery_s"] < float("inf"), cost
    assert cost["reconnects"] >= 1, cost
    told = " ".join(cost["seen"])
    assert "the recording itself: failed" in told
    assert "uploaded again: ready" in told
