"""Helm, unpacked once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.programs import unpack_helm


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder: they run programs of others."""
    item.add_marker("children")


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_helm(tmp_path_factory.mktemp("helm"))
