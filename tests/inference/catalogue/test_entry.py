"""Names and sizes of the catalogue's models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.catalogue.entry import EmbeddedFile, EmbeddedModel, ModelFile, PublishedModel, catalogue_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Silero VAD (v6)", "silero-vad"),
        ("all-MiniLM-L6-v2", "all-minilm-l6-v2"),
        ("  A / B  ", "a-b"),
        ("v2.1_x", "v2.1_x"),
        ("Ü!", ""),
    ],
)
def test_a_key_is_the_name_as_one_word(name: str, key: str) -> None:
    assert catalogue_key(name) == key


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_and_needs_no_quotes(name: str) -> None:
    key = catalogue_key(name)
    assert catalogue_key(key) == key
    assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_size_is_known_when_that_of_every_file_is() -> None:
    def published(*sizes: int | None) -> PublishedModel:
        files = tuple(ModelFile(path=str(number), size=size) for number, size in enumerate(sizes))
        return PublishedModel(
            name="m", task="emotions", licence="MIT", commercial_use=True, format="onnx", repository="a/b", files=files
        )

    assert (published(1, 2).size, published(0).size, published(1, None).size) == (3, 0, None)


def test_an_embedded_model_is_in_the_packages_of_its_parts() -> None:
    files = (
        EmbeddedFile(name="a", parts=("one/x/a1", "two/a2"), sha256="", size=5),
        EmbeddedFile(name="b", parts=("one/b",), sha256="", size=6),
    )
    model = EmbeddedModel(
        name="m",
        task="emotions",
        licence="MIT",
        commercial_use=True,
        format="onnx",
        distributions=("d==1",),
        files=files,
    )
    assert (model.packages, model.size, model.read_out) == (("one", "two"), 11, False)
