"""The real models, loaded once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inference.engine import ModelEngine
    from inference.models import ModelSet


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that run the default models."""
    if {"engine", "models"} & set(getattr(item, "fixturenames", ())):
        item.add_marker("models")


@pytest.fixture(scope="package")
async def engine() -> AsyncIterator[ModelEngine]:
    """The default models behind their queues."""
    # Imported here: the backends take seconds, and most tests need none of them.
    from inference.engine import ModelEngine
    from inference.selection.default_models import load_default_models
    from tests.devices import onnx_device

    # On a GPU, Whisper runs there too.
    device = onnx_device()
    loaded = ModelEngine(
        load_default_models(threads=1, recogniser_workers=2, device="auto" if device == "cuda" else "cpu")
    )
    yield loaded
    await loaded.close()


@pytest.fixture(scope="package")
def models(engine: ModelEngine) -> ModelSet:
    """The default models."""
    return engine.models
