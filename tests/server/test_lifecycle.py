"""A meeting changes its state only as server/lifecycle.py allows; the docs say the same."""

from __future__ import annotations

import re
from functools import partial
from itertools import product
from pathlib import Path

import asyncpg
import pytest

from server.lifecycle import ALLOWED_TRANSITIONS, MeetingStatus
from server.storage import Connection, Database
from tests.server.storage.live_rows import opened, run

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [pair for pair in product(MeetingStatus, repeat=2) if pair[0] is not pair[1]]


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=lambda status: str(status))
async def test_the_database_allows_what_the_table_allows(
    owner: Database, database: Database, before: MeetingStatus, after: MeetingStatus
) -> None:
    row = await opened(owner, database)

    async def change(connection: Connection, status: MeetingStatus) -> None:
        await connection.execute("UPDATE meetings SET status = $2 WHERE id = $1", row.meeting_id, str(status))

    for status in _way_to(before):
        await run(database, row, partial(change, status=status))
    if after in ALLOWED_TRANSITIONS[before]:
        await run(database, row, lambda c: change(c, after))
    else:
        with pytest.raises(asyncpg.CheckViolationError, match=f"{before} cannot become {after}"):
            await run(database, row, lambda c: change(c, after))


def test_the_architecture_tells_the_same_changes() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## States of a meeting")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, re.MULTILINE))
    assert told == {(str(before), str(after)) for before, afters in ALLOWED_TRANSITIONS.items() for after in afters}


def _way_to(status: MeetingStatus) -> list[MeetingStatus]:
    """The shortest way from ``receiving``."""
    ways = {MeetingStatus.RECEIVING: list[MeetingStatus]()}
    while status not in ways:
        ways = {
            **{after: [*way, after] for before, way in ways.items() for after in ALLOWED_TRANSITIONS[before]},
            **ways,
        }
    return ways[status]
