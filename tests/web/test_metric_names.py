"""Every number of the page that opens its definition has one in the catalogue."""

from __future__ import annotations

import re

from server.metrics import METRICS
from tests.recordings import ROOT

# As a property of a component, as a field of a column, and as the first of a fact's.
NAMED = re.compile(r"""metric(?:=|: )"(\w+)"|^    \["([a-z_]+)", text""", re.MULTILINE)


def test_every_metric_that_the_page_names_is_in_the_catalogue() -> None:
    named = {
        name
        for path in (ROOT / "web" / "src").rglob("*.tsx")
        for found in NAMED.findall(path.read_text(encoding="utf-8"))
        for name in filter(None, found)
    }
    assert len(named) > 30
    assert named - {metric.name for metric in METRICS} == set()
