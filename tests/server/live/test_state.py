"""Which state of a live meeting may follow which; the docs say the same."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from server.live.state import ALLOWED_TRANSITIONS, LiveState, transition

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("before", "after"), list(product(LiveState, repeat=2)), ids=str)
def test_a_state_follows_where_the_table_has_it(before: LiveState, after: LiveState) -> None:
    if after in ALLOWED_TRANSITIONS[before]:
        assert transition(before, after) is after
    else:
        with pytest.raises(ValueError, match=f"{before} cannot become {after}"):
            transition(before, after)


def test_the_docs_tell_the_same_changes() -> None:
    told = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", (ROOT / "docs" / "live.md").read_text("utf-8"), re.MULTILINE))
    assert told == {(str(before), str(after)) for before, afters in ALLOWED_TRANSITIONS.items() for after in afters}
