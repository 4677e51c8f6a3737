"""Marks the tests that encode and decode whole files."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark by what a file of tests imports."""
    if hasattr(getattr(item, "module", None), "transcoded"):
        item.add_marker("media")
