"""The real models, loaded once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inference.engine import ModelEngine
from inference.models import ModelSet
from inference.selection.default_models import load_default_models


@pytest.fixture(scope="session")
async def engine() -> AsyncIterator[ModelEngine]:
    """The default models behind their queues."""
    loaded = ModelEngine(load_default_models(threads=1, recogniser_workers=2))
    yield loaded
    await loaded.close()


@pytest.fixture(scope="session")
def models(engine: ModelEngine) -> ModelSet:
    """The default models."""
    return engine.models
