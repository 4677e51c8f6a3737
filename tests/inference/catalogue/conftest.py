"""A models folder, with a user's catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inference.catalogue.users_catalogue import ENTRY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder, with a user's catalogue beside it."""
    (tmp_path / "mine.toml").write_text(ENTRY)
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"
