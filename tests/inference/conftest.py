"""The real models, loaded once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inference.default_backend import load_default_models
from inference.models import ModelSet


@pytest.fixture(scope="session")
async def models() -> AsyncIterator[ModelSet]:
    """The default models."""
    loaded = load_default_models(threads=1, transcriber_processes=2)
    yield loaded
    await loaded.close()
