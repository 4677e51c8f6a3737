"""Figures as a table of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line of names, those of the first row, and a line for each row, one or more."""
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))
