"""NeMo brought in once and quietly. Files of tests that need it are skipped where it is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inference.nemo.archives import read_archive


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder."""
    item.add_marker("nemo")


@pytest.fixture(scope="session")
def nemo() -> None:
    from inference.nemo.runtime import import_nemo

    import_nemo()


@pytest.fixture(scope="session")
def sortformer_file(nemo: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as NeMo itself writes it."""
    from tests.inference.nemo.tiny_models import sortformer

    path = tmp_path_factory.mktemp("nemo") / "tiny-sortformer.nemo"
    model: Any = sortformer()
    model.save_to(str(path))
    return path


@pytest.fixture
def members(sortformer_file: Path) -> dict[str, bytes]:
    """Those of a good checkpoint."""
    return read_archive(sortformer_file)
