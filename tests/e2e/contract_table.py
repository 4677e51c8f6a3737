"""The table of what passed of the contract: a row an endpoint, a cell a kind of answer."""

from __future__ import annotations

from collections import defaultdict

from tests.e2e.contract import CONTRACT, Endpoint

# The property of a test report under which the lines of the table travel to whoever prints it.
TABLE = "contract table"
CELLS = ("200", "400", "period", "401", "404", "processing", "failed")
LEGEND = (
    "answers that were as documented, through Envoy. 400: hash missing, empty, malformed, or a bad body; period: bad"
    " period_seconds; 401: token missing, malformed, forged, expired, revoked; 404: unknown, another organization's;"
    " processing, failed: 409 (status: 200)"
)
_results: defaultdict[Endpoint, dict[str, int]] = defaultdict(dict)


def passed(endpoint: Endpoint, cell: str, answers: int) -> None:
    """Notes that so many answers of a cell were as documented."""
    assert cell in CELLS, cell
    _results[endpoint][cell] = answers


def cells_of(endpoint: Endpoint) -> set[str]:
    """The cells that an endpoint must have."""
    cells = {"200", "400"}
    if endpoint.row != "1":
        cells.add("401")
    if endpoint.with_period:
        cells.add("period")
    if endpoint.by_hash:
        cells |= {"404", "processing", "failed"}
    if endpoint.method in ("DELETE", "PUT"):
        cells.add("404")
    return cells


def missing() -> list[str]:
    """Cells that have not passed, as ``17 Interaction score: 404``."""
    return [
        f"{endpoint.row} {endpoint.feature}: {cell}"
        for endpoint in CONTRACT
        for cell in CELLS
        if cell in cells_of(endpoint) and cell not in _results[endpoint]
    ]


def lines() -> list[str]:
    """The table."""
    made = [f"{'row':<4} {'feature':<28}" + "".join(f"{cell:>11}" for cell in CELLS)]
    for endpoint in CONTRACT:
        shown = [
            f"{_results[endpoint][cell]} ok"
            if cell in _results[endpoint]
            else "NOT OK"
            if cell in cells_of(endpoint)
            else "-"
            for cell in CELLS
        ]
        made.append(f"{endpoint.row:<4} {endpoint.feature:<28}" + "".join(f"{text:>11}" for text in shown))
    wanted = sum(len(cells_of(endpoint)) for endpoint in CONTRACT)
    return [*made, f"{wanted - len(missing())} of {wanted} cells passed. {LEGEND}"]
