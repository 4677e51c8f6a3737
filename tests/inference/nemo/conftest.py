"""NeMo brought in once and quietly. Every file of tests here is skipped where it is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
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
