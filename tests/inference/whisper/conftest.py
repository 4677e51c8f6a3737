"""The default recogniser's own parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from inference.catalogue.embedded import WHISPER_BASE, locate_files
from inference.models import ModelSet
from inference.whisper import WhisperRecogniser
from inference.whisper.tokens import WhisperTokens


@pytest.fixture(scope="session")
def parts() -> dict[str, tuple[Path, ...]]:
    """The files of the model by name, as its packages carry them."""
    return locate_files(WHISPER_BASE)


@pytest.fixture(scope="session")
def tokenizer(parts: dict[str, tuple[Path, ...]]) -> Tokenizer:
    """The model's own tokenizer."""
    return Tokenizer.from_file(str(parts["tokenizer.json"][0]))


@pytest.fixture(scope="session")
def tokens(tokenizer: Tokenizer) -> WhisperTokens:
    """The vocabulary of the model."""
    return WhisperTokens(tokenizer)


@pytest.fixture(scope="package")
def recogniser(models: ModelSet) -> WhisperRecogniser:
    """The default recogniser."""
    assert isinstance(models.recogniser, WhisperRecogniser)
    return models.recogniser
