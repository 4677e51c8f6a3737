"""What live meetings write: transactions, rows and bytes of the database a second, and bytes of audio.

    python -m benchmarks.live_writes [--streams 4] [--minutes 3] [--json FILE]

Meetings of one track (PCM of 16 kHz) are streamed in real time and heard by a client each. PostgreSQL counts what is
committed, inserted, updated and deleted, and how much its write-ahead log grows, from the first sample until the last
meeting is ready: opening, events and the answers of the finished meeting. What the system writes while nothing happens
is measured before, and subtracted. Figures are of one meeting and a second of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.live_load import percentiles, rotated, run_bots
from benchmarks.recordings import sample_speech
from benchmarks.running_system import RunningSystem, circumstances, running_system

IDLE_S = 30.0
# A connection of PostgreSQL hands on what it has counted within ten seconds.
COUNTED_WITHIN_S = 11.0
Counts = dict[str, float]


async def counts(connection: asyncpg.Connection[asyncpg.Record], audio: Path) -> Counts:
    """What was written until now."""
    await asyncio.sleep(COUNTED_WITHIN_S)
    row = await connection.fetchrow(
        "SELECT xact_commit AS transactions, tup_inserted AS rows_inserted, tup_updated AS rows_updated,"
        " tup_deleted AS rows_deleted, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS log_bytes,"
        " pg_database_size(current_database()) AS database_bytes,"
        " (SELECT count(*) FROM live_events) AS events FROM pg_stat_database WHERE datname = current_database()"
    )
    assert row is not None
    stored = sum(path.stat().st_size for path in audio.rglob("*") if path.is_file())
    return {**{name: float(value) for name, value in row.items()}, "audio_bytes": float(stored)}


def difference(after: Counts, before: Counts) -> Counts:
    """What was written between."""
    return {name: after[name] - before[name] for name in after}


async def measure(system: RunningSystem, streams: int, minutes: float) -> dict[str, object]:
    """Figures of a meeting and a second."""
    connection = await asyncpg.connect(system.superuser_url, timeout=60)
    audio = system.audio
    first, began = await counts(connection, audio), time.monotonic()
    await asyncio.sleep(IDLE_S)
    second, idle_s = await counts(connection, audio), time.monotonic() - began
    idle = {name: value / idle_s for name, value in difference(second, first).items()}
    began = time.monotonic()
    lags = await run_bots(system, rotated(sample_speech(minutes), streams))
    while await connection.fetchval("SELECT EXISTS (SELECT FROM meetings WHERE status <> 'ready')"):
        await asyncio.sleep(0.5)
    third, busy_s = await counts(connection, audio), time.monotonic() - began
    await connection.close()
    written = difference(third, second)
    seconds = streams * minutes * 60
    return {
        "streams": streams,
        "minutes": minutes,
        "p95_lag_s": percentiles(lags.all_turns())["p95_s"],
        "idle_a_second": {name: round(value, 2) for name, value in idle.items()},
        "a_meeting_and_second": {
            name: round((value - idle[name] * busy_s) / seconds, 2) for name, value in written.items()
        },
    }


def main() -> int:
    """Measure and print; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_writes", description=__doc__)
    parser.add_argument("--streams", type=int, default=4, help="meetings at once")
    parser.add_argument("--minutes", type=float, default=3, help="length of each")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    with running_system() as system:
        figures = uvloop.run(measure(system, options.streams, options.minutes))
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
